/**
 * Residual networks as torchvision builds them: ResNet v1.5, Wide ResNet and
 * ResNeXt. He et al. 2016, https://arxiv.org/abs/1512.03385; Zagoruyko and
 * Komodakis 2016, https://arxiv.org/abs/1605.07146; Xie et al. 2017,
 * https://arxiv.org/abs/1611.05431.
 *
 * @module
 */
import { type Architecture, ArchitectureBuilder } from "./architecture.ts";

/** Shape of a residual network. */
interface ResNetOptions {
  /** Name, e.g. `resnet18`. */
  readonly name: string;
  /** Two 3×3 convolutions a block, or 1×1, 3×3 and 1×1. */
  readonly block: "basic" | "bottleneck";
  /** Blocks of each of the four stages. */
  readonly blocks: readonly [number, number, number, number];
  /** Groups of the 3×3 convolutions of a bottleneck, default 1. */
  readonly groups?: number;
  /** Channels a group of a bottleneck has in the first stage, out of 64; default 64. */
  readonly widthPerGroup?: number;
  /** Channels of the stem and base width of each stage, default 64, then 64, 128, 256, 512. */
  readonly planes?: readonly [number, number, number, number, number];
  /** Classes of the last layer, default 1000. */
  readonly classes?: number;
}

/** Result channels of a bottleneck over its base width. */
const EXPANSION = 4;

interface Stage {
  readonly name: string;
  readonly plane: number;
  readonly stride: number;
}

/** Describes a residual network; tensors are named as in torchvision's state dict. */
export function resnet(options: ResNetOptions): Architecture {
  const { blocks, planes = [64, 64, 128, 256, 512], classes = 1000 } = options;
  const builder = new ArchitectureBuilder();
  const [stem, ...stages] = planes;
  let x = builder.conv("conv1", "input", 3, stem, 7, { stride: 2 });
  x = builder.relu("relu", builder.batchNorm("bn1", x, stem));
  x = builder.maxPool("maxpool", x);
  let channels = stem;
  const levels: string[] = [];
  stages.forEach((plane, i) => {
    const name = `layer${i + 1}`;
    for (let j = 0; j < blocks[i]!; j++) {
      const last = j === blocks[i]! - 1;
      const stage = {
        name: `${name}.${j}`,
        plane,
        stride: j === 0 && i > 0 ? 2 : 1,
      };
      const output = last ? name : `${name}.${j}`;
      channels = addBlock(builder, options, stage, x, channels, output);
      x = output;
    }
    levels.push(name);
  });
  builder.classifier("fc", x, channels, classes);
  const { parameters, nodes } = builder;
  return { name: options.name, parameters, nodes, levels };
}

function addBlock(
  builder: ArchitectureBuilder,
  options: ResNetOptions,
  stage: Stage,
  input: string,
  channels: number,
  output: string,
): number {
  const { name, stride } = stage;
  const basic = options.block === "basic";
  const filters = basic ? stage.plane : stage.plane * EXPANSION;
  const branch = basic
    ? basicBranch(builder, stage, input, channels)
    : bottleneckBranch(builder, options, stage, input, channels);
  let shortcut = input;
  if (stride !== 1 || channels !== filters) {
    const down = `${name}.downsample`;
    shortcut = builder.conv(`${down}.0`, input, channels, filters, 1, {
      stride,
    });
    shortcut = builder.batchNorm(`${down}.1`, shortcut, filters);
  }
  const sum = builder.node("Add", `${name}.add`, [branch, shortcut]);
  builder.node("Relu", `${name}.relu_out`, [sum], {}, output);
  return filters;
}

function basicBranch(
  builder: ArchitectureBuilder,
  { name, plane, stride }: Stage,
  input: string,
  channels: number,
): string {
  let x = builder.conv(`${name}.conv1`, input, channels, plane, 3, { stride });
  x = builder.batchNorm(`${name}.bn1`, x, plane);
  x = builder.relu(`${name}.relu1`, x);
  x = builder.conv(`${name}.conv2`, x, plane, plane, 3);
  return builder.batchNorm(`${name}.bn2`, x, plane);
}

function bottleneckBranch(
  builder: ArchitectureBuilder,
  { groups = 1, widthPerGroup = 64 }: ResNetOptions,
  { name, plane, stride }: Stage,
  input: string,
  channels: number,
): string {
  const width = Math.floor(plane * widthPerGroup / 64) * groups;
  const filters = plane * EXPANSION;
  let x = builder.conv(`${name}.conv1`, input, channels, width, 1);
  x = builder.batchNorm(`${name}.bn1`, x, width);
  x = builder.relu(`${name}.relu1`, x);
  x = builder.conv(`${name}.conv2`, x, width, width, 3, { stride, groups });
  x = builder.batchNorm(`${name}.bn2`, x, width);
  x = builder.relu(`${name}.relu2`, x);
  x = builder.conv(`${name}.conv3`, x, width, filters, 1);
  return builder.batchNorm(`${name}.bn3`, x, filters);
}
