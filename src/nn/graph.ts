/**
 * The plain data a network is described by, between the ONNX file and the GPU.
 *
 * Everything here is read-only and free of protobuf types: passes such as
 * constant folding or fusion take a {@linkcode Graph} and return a new one.
 *
 * @module
 */
import type { OnnxErrorKind } from "./onnx/errors.ts";

/** Element types a {@linkcode HostTensor} may have. Floats of any width in the file (16, 32, 64 bits) become `float32`. */
export type DataType =
  | "float32"
  | "int64"
  | "int32"
  | "int8"
  | "uint8"
  | "bool";

/** A tensor in host memory: an initializer, an attribute, or a folded constant. */
export interface HostTensorOf<Type extends DataType, Data> {
  /** Element type. */
  readonly dtype: Type;
  /** Extent of each dimension; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Elements, row-major; `bool` holds 0 or 1. */
  readonly data: Data;
}

/** A tensor of 32-bit floats in host memory. */
export type FloatTensor = HostTensorOf<"float32", Float32Array<ArrayBuffer>>;

/** A tensor of any supported type in host memory; `dtype` tells which. */
export type HostTensor =
  | FloatTensor
  | HostTensorOf<"int64", BigInt64Array<ArrayBuffer>>
  | HostTensorOf<"int32", Int32Array<ArrayBuffer>>
  | HostTensorOf<"int8", Int8Array<ArrayBuffer>>
  | HostTensorOf<"uint8", Uint8Array<ArrayBuffer>>
  | HostTensorOf<"bool", Uint8Array<ArrayBuffer>>;

/** Value of a node attribute. Integers are exact up to 2^53 and saturate beyond. */
export type AttributeValue =
  | number
  | string
  | HostTensor
  | readonly number[]
  | readonly string[];

/** An elementwise function applied to a node's result before it is stored. */
export type Activation =
  | {
    /** max(x, 0). */
    readonly kind: "relu";
  }
  | {
    /** min(max(x, min), max). */
    readonly kind: "clip";
    /** Lower bound, -Infinity when there is none. */
    readonly min: number;
    /** Upper bound, Infinity when there is none. */
    readonly max: number;
  }
  | {
    /** x if x ≥ 0, else alpha · x. */
    readonly kind: "leaky_relu";
    /** Slope for negative x. */
    readonly alpha: number;
  }
  | {
    /** 1 / (1 + exp(−x)). */
    readonly kind: "sigmoid";
  }
  | {
    /** x / 2 · (1 + erf(x / √2)). */
    readonly kind: "gelu";
  }
  | {
    /** x / (1 + exp(−1.702 x)). */
    readonly kind: "quick_gelu";
  }
  | {
    /** x / (1 + exp(−x)). */
    readonly kind: "silu";
  }
  | {
    /** x · min(max(x / 6 + 0.5, 0), 1). */
    readonly kind: "hard_swish";
  }
  | {
    /** min(max(alpha · x + beta, 0), 1). */
    readonly kind: "hard_sigmoid";
    /** Slope. */
    readonly alpha: number;
    /** Offset. */
    readonly beta: number;
  };

/** One operator of a network. */
export interface GraphNode {
  /** Unique name; made up from the operator and its first output when the file has none. */
  readonly name: string;
  /** ONNX operator, e.g. `Conv`. */
  readonly op: string;
  /** Tensors read, by position; `""` stands for an omitted optional input. */
  readonly inputs: readonly string[];
  /** Tensors written, by position; `""` stands for an omitted optional output. */
  readonly outputs: readonly string[];
  /** Attributes the file sets; defaults are the operator's. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Applied last: `y = activation(op(inputs) + residual)`. Set by fusion. */
  readonly activation?: Activation;
  /** Tensor of the result's shape added before the activation. Set by fusion. */
  readonly residual?: string;
}

/** What a network wants to be fed with. */
export interface GraphInput {
  /** Name of the tensor. */
  readonly name: string;
  /** Element type. */
  readonly dtype: DataType;
  /** Extents; a string names a free dimension, `null` is an anonymous one. Empty when the file does not say. */
  readonly shape: readonly (number | string | null)[];
}

/** Why a tensor that the file names cannot be had. */
export interface Unreadable {
  /** What kind of error it is to need the tensor. */
  readonly kind: OnnxErrorKind;
  /** What is wrong, as a clause about the tensor: `it is a second input`. */
  readonly problem: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/** Where a block of a transformer can be tapped. */
export interface TransformerBlock {
  /** All its tokens `[N, D, T, 1]`, before the final normalisation. */
  readonly tokens: string;
  /** Those of the patches as a map `[N, D, h, w]`. */
  readonly map: string;
  /** The map after the final normalisation, if the network has one. */
  readonly normed?: string;
}

/** What is known of a vision transformer. */
export interface TransformerFacts {
  /** Height and width of a patch in pixels. */
  readonly patch: readonly [number, number];
  /** Tokens before those of the patches: class, registers. */
  readonly prefix: number;
  /** Elements of a token. */
  readonly channels: number;
  /** Its blocks, in order. */
  readonly blocks: readonly TransformerBlock[];
  /** Rows and columns of patches, where positions are written into the file. */
  readonly grid?: readonly [number, number];
}

/** A network: operators in topological order, and the constants they read. */
export interface Graph {
  /** Name of the graph in the file. */
  readonly name: string;
  /** Inputs that are not constants: exactly one image `[N, 3, H, W]` in a backbone. */
  readonly inputs: readonly GraphInput[];
  /** Tensors the network yields. */
  readonly outputs: readonly string[];
  /** Their extents, where they are known without running it; a string names a free one. */
  readonly outputShapes?: ReadonlyMap<string, readonly (number | string)[]>;
  /** Operators; each comes after the producers of its inputs. */
  readonly nodes: readonly GraphNode[];
  /** Initializers and folded values by tensor name. */
  readonly constants: ReadonlyMap<string, HostTensor>;
  /**
   * Tensors that cannot be had, such as strings or a second input of the
   * network: no error unless an operator that is needed reads one.
   */
  readonly unreadable?: ReadonlyMap<string, Unreadable>;
  /** Version of the default operator set. */
  readonly opset: number;
  /** Free key and value strings of the file, e.g. `random` → seed. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Program that wrote the file, with its version, e.g. `pytorch 2.4.0`. */
  readonly producer: string;
  /** Set where the nodes are those of a transformer that was recognised. */
  readonly transformer?: TransformerFacts;
}
