import { type Storage, storageOf } from "../gpu/mod.ts";
import type { Conv2dSizes, WeightPrecision } from "../wgsl/conv2d.ts";
import type { Kernel } from "../wgsl/kernel.ts";
import {
  chooseConv,
  type ConvChoice,
  type ConvProblem,
  type ConvTarget,
  familyOf,
  problemKey,
} from "./conv_choice.ts";
import { type Extent, extentOf } from "./extent.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { toHalf } from "./layout.ts";
import { nodeError } from "./onnx/errors.ts";
import type { Shape } from "./shape_rules.ts";

/** Constants as a kernel reads them, made when they are uploaded. */
export interface PackedConstant {
  /** Elements. */
  readonly elements: number;
  /** Type of the elements. */
  readonly dtype: "f32" | "f16";
  /** Where kernels read them from, a buffer by default. */
  readonly storage?: Storage;
  /** Makes the elements; a `Uint16Array` holds float16 bits. */
  pack(): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

/** Where a step reads from: a value computed before, or packed constants. */
export type Operand = { readonly value: string } | {
  readonly constant: string;
};

/** One dispatch of a network's plan. */
export interface PlannedStep {
  /** Name of the ONNX node it belongs to. */
  readonly node: string;
  /** The kernel, with the sizes its `plan` takes. */
  readonly kernel: Kernel<never>;
  /** Problem sizes. */
  readonly sizes: never;
  /** What each input binding reads. */
  readonly reads: Readonly<Record<string, Operand>>;
  /** Value written to binding `y`. */
  readonly output: string;
}

/** What an operator sees and does while a network is planned. */
export class PlanContext {
  /** Steps so far. */
  readonly steps: PlannedStep[] = [];
  /** Packers of constants by key. */
  readonly constants: Map<string, PackedConstant> = new Map();
  /** Convolutions without groups, by their key. */
  readonly problems: Map<string, ConvProblem> = new Map();
  /** Values that share another's memory. */
  readonly aliases: Map<string, string> = new Map();
  readonly #target: ConvTarget;
  /** The graph being planned. */
  readonly graph: Graph;
  readonly #shapes: Map<string, Shape>;
  readonly #values: ReadonlyMap<string, HostTensor>;

  /** A context over inferred shapes and plan-time values. */
  constructor(
    graph: Graph,
    shapes: ReadonlyMap<string, Shape>,
    values: ReadonlyMap<string, HostTensor>,
    target: ConvTarget,
  ) {
    this.graph = graph;
    this.#target = target;
    this.#shapes = new Map(shapes);
    this.#values = values;
  }

  /** Plan-time values by tensor name. */
  get values(): ReadonlyMap<string, HostTensor> {
    return this.#values;
  }

  /** ONNX shape of a tensor. */
  shape(name: string): Shape {
    const shape = this.#shapes.get(name);
    if (shape === undefined) {
      throw new TypeError(`Tensor "${name}" has no shape`);
    }
    return shape;
  }

  /** Memory extent of a tensor. */
  extent(name: string): Extent {
    return extentOf(this.shape(name));
  }

  /** Height and width of a rank 4 tensor. */
  imageSize(node: GraphNode, name: string): readonly [number, number] {
    const shape = this.shape(name);
    if (shape.length === 4) return [shape[2], shape[3]];
    throw nodeError(
      node,
      `its input has shape [${shape}], expected [N, C, H, W]`,
      "shape",
    );
  }

  /** A float constant, or `undefined` for a value computed on the GPU. */
  floats(name: string): HostTensor & { data: Float32Array } | undefined {
    const tensor = this.#values.get(name);
    return tensor?.dtype === "float32" ? tensor : undefined;
  }

  /** A GPU value to read; constants have to be packed with `constant`. */
  value(node: GraphNode, name: string): Operand {
    if (this.#values.has(name)) {
      throw nodeError(
        node,
        `its input "${name}" is a constant, a tensor computed from the image was expected`,
        "unsupported_operator",
        "run the model through onnx-simplifier",
      );
    }
    return { value: name };
  }

  /**
   * Registers so many constants of a node, to be packed and uploaded once a
   * network. The role tells them from others of the node.
   */
  constant(
    node: GraphNode,
    role: string,
    elements: number,
    pack: () => Float32Array<ArrayBuffer>,
  ): Operand {
    const key = keyOf(node, role);
    this.constants.set(key, { elements, dtype: "f32", pack });
    return { constant: key };
  }

  /**
   * The role of a constant that is made of a tensor. One that follows from the
   * size of the image is another one for each size.
   */
  role(role: string, source: string): string {
    const [image] = this.graph.inputs;
    return this.graph.constants.has(source)
      ? role
      : `${role} for [${this.shape(image!.name)}]`;
  }

  /**
   * Registers a node's weights, in the precision of the plan and as the kernel
   * of a choice reads them. The role tells apart what plans for other sizes of
   * image or batch may pack otherwise.
   */
  weights(
    node: GraphNode,
    choice: Pick<ConvChoice, "kernel">,
    elements: number,
    pack: () => Float32Array<ArrayBuffer>,
    role = "weights",
  ): Operand {
    const { precision: dtype } = this;
    const storage = storageOf(familyOf(choice)[dtype].bindings.w);
    const isImage = storage === "image";
    const key = keyOf(node, `${role}${isImage ? " as an image" : ""}`);
    this.constants.set(key, {
      ...{ elements, dtype, storage },
      pack: dtype === "f32" ? pack : () => toHalf(pack()),
    });
    return { constant: key };
  }

  /** How work is divided among lanes where nothing was measured. */
  get tile(): ConvTarget["tile"] {
    return this.#target.tile;
  }

  /** How weights are stored. */
  get precision(): WeightPrecision {
    return this.#target.precision;
  }

  /**
   * How a convolution without groups or a matrix product is done; `undefined`:
   * by the simplest kernel.
   */
  convChoice(sizes: Conv2dSizes): ConvChoice | undefined {
    const { tile } = this.#target;
    const problem: ConvProblem = {
      ...sizes,
      kernel: sizes.kernel ?? [1, 1],
      strides: sizes.strides ?? [1, 1],
      dilations: sizes.dilations ?? [1, 1],
    };
    this.problems.set(problemKey(problem, this.#target), problem);
    if (tile === "plain") return undefined;
    return chooseConv({ ...this.#target, tile }, problem);
  }

  /**
   * Appends one dispatch that writes `output`.
   *
   * @param reads An operand for every binding of the kernel but `y`.
   */
  emit<Sizes, Binding extends string>(
    node: GraphNode,
    kernel: Kernel<Sizes, Binding>,
    sizes: Sizes,
    reads: Readonly<Record<Exclude<NoInfer<Binding>, "y">, Operand>>,
    output: string = node.outputs[0],
  ): void {
    this.steps.push({
      node: node.name,
      kernel: kernel as unknown as Kernel<never>,
      sizes: sizes as never,
      reads,
      output,
    });
  }

  /**
   * Names an intermediate tensor of the shape `[images, channels, pixels]`,
   * otherwise than any tensor of the graph.
   */
  temporary(node: GraphNode, role: string, shape: Shape): string {
    let name = keyOf(node, role);
    while (this.#shapes.has(name)) name = `${name}'`;
    this.#shapes.set(name, shape);
    return name;
  }

  /** Lets a node's result share its input's memory. */
  alias(node: GraphNode, input: string): void {
    this.value(node, input);
    this.aliases.set(node.outputs[0], this.root(input));
  }

  /** The value in whose memory a name lies. */
  root(name: string): string {
    return this.aliases.get(name) ?? name;
  }
}

/** A name that no other role and no other node gives, whatever characters theirs have. */
function keyOf(node: GraphNode, role: string): string {
  return `${role} of ${JSON.stringify(node.name)}`;
}
