/**
 * A network described once: the parameters it has, and the graph they make.
 *
 * @module
 */
import type { AttributeValue, Graph, GraphNode, HostTensor } from "../graph.ts";
import { OnnxError } from "../onnx/errors.ts";

/** What a parameter is for, which decides how a fresh network starts it. */
type ParameterRole =
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
}

/** A network whose weights are still to come. */
export interface Architecture {
  /** Name as torchvision has it, e.g. `wide_resnet50_2`. */
  readonly name: string;
  /** Every parameter, in the order the network uses them. */
  readonly parameters: readonly Parameter[];
  /** Operators from `input` `[N, 3, H, W]` to `logits`. */
  readonly nodes: readonly GraphNode[];
  /** Tensors that end the levels layer1 to layer4. */
  readonly levels: readonly string[];
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
  for (const { name, shape } of architecture.parameters) {
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
    constants.set(name, tensor);
  }
  return {
    name: architecture.name,
    inputs: [{
      name: "input",
      dtype: "float32",
      shape: ["n", 3, "h", "w"],
    }],
    outputs: ["logits"],
    nodes: architecture.nodes,
    constants,
    opset: 17,
    metadata,
    producer: "@patchcore/webgpu",
  };
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
    const weight = this.#parameter(
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
      this.#parameter(`${name}.${suffix}`, [channels], role, channels)
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
    const weight = this.#parameter(
      `${name}.weight`,
      [classes, channels],
      "linear_weight",
      channels,
    );
    const bias = this.#parameter(
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

  /** Any operator; its result is named after it unless told otherwise. */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output: string = `${name}.out`,
  ): string {
    this.#nodes.push({
      name,
      op,
      inputs: [...inputs],
      outputs: [output],
      attributes,
    });
    return output;
  }

  #parameter(
    name: string,
    shape: readonly number[],
    role: ParameterRole,
    fanIn: number,
  ): string {
    this.#parameters.push({ name, shape, role, fanIn });
    return name;
  }
}
