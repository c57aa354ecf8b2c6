/**
 * A network described once: the parameters it has, and the graph they make.
 *
 * @module
 */
import type {
  AttributeValue,
  FloatTensor,
  Graph,
  GraphNode,
  HostTensor,
} from "../graph.ts";
import { floatTensor } from "../host_tensor.ts";
import { OnnxError } from "../onnx/errors.ts";

/** What a parameter is for, which decides how a fresh network starts it. */
type ParameterRole =
  | "token"
  | "scale"
  | "norm_weight"
  | "norm_bias"
  | "conv_weight"
  | "linear_weight"
  | "linear_bias"
  | "bn_weight"
  | "bn_bias"
  | "bn_mean"
  | "bn_var";

/** One named tensor of a network's state dict. */
export interface Parameter {
  /** Name as torchvision has it, e.g. `layer1.0.conv1.weight`. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** What it is for. */
  readonly role: ParameterRole;
  /** Number of inputs one result of its layer depends on. */
  readonly fanIn: number;
  /** Whether the graph reads the transpose of the matrix, as MatMul does. */
  readonly transposed?: boolean;
}

/** A network whose weights are still to come. */
export interface Architecture {
  /** Name as torchvision has it, e.g. `wide_resnet50_2`. */
  readonly name: string;
  /** Every parameter, in the order the network uses them. */
  readonly parameters: readonly Parameter[];
  /** Operators from `input` `[N, 3, H, W]` to `logits`. */
  readonly nodes: readonly GraphNode[];
  /** Tensors that end the levels layer1 to layer4; none of a transformer. */
  readonly levels: readonly string[];
  /** What is known of a transformer beside its operators. */
  readonly transformer?: Transformer;
}

/**
 * How programs fit a table of positions to the number of patches, or how exact
 * the periods of rotary positions are: as the network's own publication does
 * it, as transformers, or as timm. The same weights give measurably different
 * features.
 */
export const POSITIONS = ["hub", "transformers", "timm"] as const;

/** Metadata key of an ONNX file: which of {@linkcode POSITIONS} it was made for. */
export const POSITIONS_KEY = "positions";

/** One of {@linkcode POSITIONS}. */
export type Positions = typeof POSITIONS[number];

/** What sets one vision transformer apart from another. */
export interface Transformer {
  /** Whose code its checkpoints are of, which decides between equal shapes. */
  readonly family: "dinov2" | "dinov3" | "dino" | "deit" | "torchvision";
  /** Pixels of a patch's sides. */
  readonly patch: number;
  /** Dimensions of a token. */
  readonly dim: number;
  /** Blocks that are kept. */
  readonly depth: number;
  /** Blocks that the checkpoint has. */
  readonly fullDepth: number;
  /** Attention heads. */
  readonly heads: number;
  /** Tokens before the patches: class, distillation, registers. */
  readonly prefix: number;
  /** Patches of a side of the table of positions; none with rotary positions. */
  readonly grid?: number;
  /** Dimensions inside the feed-forward layers. */
  readonly hidden: number;
  /** Feed-forward layers: GELU, or a gate packed with its value or beside it. */
  readonly feedForward: "gelu" | "packed_gate" | "gate";
  /** Whether the branches of a block are scaled by dimension. */
  readonly layerScale: boolean;
  /** How positions are fitted to the image. */
  readonly positions: Positions;
  /** Pixels of the image's sides, where no other size will do. */
  readonly size?: number;
}

/**
 * The graph of an architecture with the given weights.
 *
 * BatchNormalization stays as it is: it is folded when the network is loaded.
 *
 * @param weights Tensors by parameter name; others are ignored.
 * @throws {OnnxError} `missing_input` or `shape` when a parameter does not fit.
 */
export function buildGraph(
  architecture: Architecture,
  weights: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Graph {
  const constants = new Map<string, HostTensor>();
  for (const { name, shape, transposed } of architecture.parameters) {
    const tensor = weights.get(name);
    if (!tensor) {
      throw new OnnxError(
        "missing_input",
        `Cannot build ${architecture.name}: its parameter "${name}" is missing`,
      );
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new OnnxError(
        "shape",
        `Cannot build ${architecture.name}: its parameter "${name}" has shape [${tensor.shape}], expected [${shape}]`,
      );
    }
    constants.set(name, transposed ? transpose(tensor) : tensor);
  }
  const { transformer } = architecture;
  const { size } = transformer ?? {};
  return {
    name: architecture.name,
    inputs: [{
      name: "input",
      dtype: "float32",
      shape: ["n", 3, size ?? "h", size ?? "w"],
    }],
    outputs: [transformer ? TOKENS : "logits"],
    ...(transformer && {
      outputShapes: new Map([[TOKENS, ["n", "tokens", transformer.dim]]]),
    }),
    nodes: architecture.nodes,
    constants,
    opset: 17,
    metadata,
    producer: "@patchcore/webgpu",
  };
}

/** Tensor that a transformer ends with: all tokens `[N, T, D]`, normalised. */
export const TOKENS = "tokens";

/** The transpose of a matrix of floats; what has no elements yet has none after. */
export function transpose(tensor: HostTensor): FloatTensor {
  const [rows = 0, columns = 0] = tensor.shape;
  const shape = [columns, rows];
  if (tensor.data.length === 0) return floatTensor(shape, []);
  const from = tensor.data as Float32Array;
  const data = new Float32Array(from.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      data[column * rows + row] = from[row * columns + column]!;
    }
  }
  return floatTensor(shape, data);
}

/** Collects the operators and parameters of a network as it is described. */
export class ArchitectureBuilder {
  readonly #parameters: Parameter[] = [];
  readonly #nodes: GraphNode[] = [];

  /** Parameters so far. */
  get parameters(): readonly Parameter[] {
    return this.#parameters;
  }

  /** Operators so far. */
  get nodes(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** Square convolution without bias; padding keeps the size at stride 1. */
  conv(
    name: string,
    input: string,
    channels: number,
    filters: number,
    kernel: number,
    { stride = 1, groups = 1 }: { stride?: number; groups?: number } = {},
  ): string {
    const pad = (kernel - 1) / 2;
    const perGroup = channels / groups;
    const weight = this.parameter(
      `${name}.weight`,
      [filters, perGroup, kernel, kernel],
      "conv_weight",
      perGroup * kernel * kernel,
    );
    return this.node("Conv", name, [input, weight], {
      dilations: [1, 1],
      group: groups,
      kernel_shape: [kernel, kernel],
      pads: [pad, pad, pad, pad],
      strides: [stride, stride],
    });
  }

  /** Batch normalisation with PyTorch's epsilon. */
  batchNorm(name: string, input: string, channels: number): string {
    const vectors = ([
      ["weight", "bn_weight"],
      ["bias", "bn_bias"],
      ["running_mean", "bn_mean"],
      ["running_var", "bn_var"],
    ] as const).map(([suffix, role]) =>
      this.parameter(`${name}.${suffix}`, [channels], role, channels)
    );
    return this.node("BatchNormalization", name, [input, ...vectors], {
      epsilon: 1e-5,
    });
  }

  /** Rectifier. */
  relu(name: string, input: string): string {
    return this.node("Relu", name, [input]);
  }

  /** Maximum over 3×3 at stride 2, as both families start. */
  maxPool(name: string, input: string): string {
    return this.node("MaxPool", name, [input], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
      strides: [2, 2],
    });
  }

  /** Global average, then the fully connected layer that yields `logits`. */
  classifier(
    name: string,
    input: string,
    channels: number,
    classes: number,
  ): void {
    const pooled = this.node("GlobalAveragePool", "avgpool", [input]);
    const flat = this.node("Flatten", "flatten", [pooled], { axis: 1 });
    const weight = this.parameter(
      `${name}.weight`,
      [classes, channels],
      "linear_weight",
      channels,
    );
    const bias = this.parameter(
      `${name}.bias`,
      [classes],
      "linear_bias",
      channels,
    );
    this.node("Gemm", name, [flat, weight, bias], {
      alpha: 1,
      beta: 1,
      transB: 1,
    }, "logits");
  }

  /**
   * Any operator; its result is named after it unless told otherwise.
   *
   * @returns The first result.
   */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output: string | readonly [string, ...string[]] = `${name}.out`,
  ): string {
    const outputs = typeof output === "string" ? [output] : [...output];
    this.#nodes.push({ name, op, inputs: [...inputs], outputs, attributes });
    return outputs[0]!;
  }

  /** A parameter; returns its name. */
  parameter(
    name: string,
    shape: readonly number[],
    role: ParameterRole,
    fanIn: number,
    transposed = false,
  ): string {
    this.#parameters.push({
      ...{ name, shape, role, fanIn },
      ...(transposed && { transposed }),
    });
    return name;
  }
}
