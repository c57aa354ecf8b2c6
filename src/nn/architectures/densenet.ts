/**
 * Densely connected networks as torchvision builds them. Huang et al. 2017,
 * https://arxiv.org/abs/1608.06993.
 *
 * @module
 */
import { type Architecture, ArchitectureBuilder } from "./architecture.ts";

/** Shape of a DenseNet. */
interface DenseNetOptions {
  /** Name, e.g. `densenet201`. */
  readonly name: string;
  /** Layers of each of the four dense blocks. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels each layer adds, default 32. */
  readonly growth?: number;
  /** Channels of the stem, default twice the growth. */
  readonly stem?: number;
  /** Channels of a layer's 1×1 convolution over its growth, default 4. */
  readonly bottleneck?: number;
  /** Classes of the last layer, default 1000. */
  readonly classes?: number;
}

/** Describes a DenseNet; tensors are named as in torchvision's state dict. */
export function densenet(options: DenseNetOptions): Architecture {
  const { growth = 32, stem = 2 * growth, bottleneck = 4, classes = 1000 } =
    options;
  const builder = new ArchitectureBuilder();
  let x = builder.conv("features.conv0", "input", 3, stem, 7, { stride: 2 });
  x = builder.batchNorm("features.norm0", x, stem);
  x = builder.maxPool("features.pool0", builder.relu("features.relu0", x));
  let channels = stem;
  const levels: string[] = [];
  options.blocks.forEach((layers, i) => {
    const name = `features.denseblock${i + 1}`;
    const parts = [x];
    for (let j = 1; j <= layers; j++) {
      const layer = `${name}.denselayer${j}`;
      parts.push(
        addLayer(builder, layer, parts, channels, growth, bottleneck * growth),
      );
      channels += growth;
    }
    x = builder.node("Concat", `${name}.concat`, parts, { axis: 1 }, name);
    levels.push(name);
    if (i < options.blocks.length - 1) {
      x = addTransition(builder, `features.transition${i + 1}`, x, channels);
      channels = Math.floor(channels / 2);
    }
  });
  x = builder.relu("relu", builder.batchNorm("features.norm5", x, channels));
  builder.classifier("classifier", x, channels, classes);
  const { parameters, nodes } = builder;
  return { name: options.name, parameters, nodes, levels };
}

function addLayer(
  builder: ArchitectureBuilder,
  name: string,
  parts: readonly string[],
  channels: number,
  growth: number,
  width: number,
): string {
  let x = parts.length === 1
    ? parts[0]!
    : builder.node("Concat", `${name}.concat`, parts, { axis: 1 });
  x = builder.batchNorm(`${name}.norm1`, x, channels);
  x = builder.relu(`${name}.relu1`, x);
  x = builder.conv(`${name}.conv1`, x, channels, width, 1);
  x = builder.batchNorm(`${name}.norm2`, x, width);
  x = builder.relu(`${name}.relu2`, x);
  return builder.conv(`${name}.conv2`, x, width, growth, 3);
}

function addTransition(
  builder: ArchitectureBuilder,
  name: string,
  input: string,
  channels: number,
): string {
  let x = builder.batchNorm(`${name}.norm`, input, channels);
  x = builder.relu(`${name}.relu`, x);
  x = builder.conv(`${name}.conv`, x, channels, Math.floor(channels / 2), 1);
  return builder.node("AveragePool", `${name}.pool`, [x], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
}
