/**
 * Which operators are alike in what is known of them: their shapes, and what
 * they can run on.
 *
 * @module
 */

const SAME_SHAPE_ONLY = [
  "Celu",
  "Elu",
  "Gelu",
  "GroupNormalization",
  "InstanceNormalization",
  "LRN",
  "LayerNormalization",
  "LogSoftmax",
  "LpNormalization",
  "Mish",
  "Selu",
  "Softplus",
  "Softsign",
  "ThresholdedRelu",
] as const;

/**
 * Operators whose shapes are known so that the levels after them are found,
 * although they cannot run.
 */
export const SHAPE_ONLY: readonly string[] = [
  ...SAME_SHAPE_ONLY,
  "GlobalMaxPool",
  "Mean",
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSumExp",
];

/** Operators that run on constants and on values computed from shapes, and not on images. */
export const CONSTANTS_ONLY: readonly string[] = [
  "Abs",
  "And",
  "Cos",
  "DequantizeLinear",
  "Equal",
  "Erf",
  "Exp",
  "Expand",
  "Greater",
  "GreaterOrEqual",
  "IsNaN",
  "Less",
  "LessOrEqual",
  "Log",
  "Not",
  "Or",
  "Pow",
  "QuantizeLinear",
  "Range",
  "Reciprocal",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceSum",
  "ReduceSumSquare",
  "Resize",
  "Round",
  "Sign",
  "Sin",
  "Size",
  "Tanh",
  "Tile",
  "Where",
];

/** Operators whose result has the shape of their first input. */
export const SAME_SHAPE: readonly string[] = [
  ...SAME_SHAPE_ONLY,
  "Abs",
  "Cast",
  "Ceil",
  "Clip",
  "Cos",
  "DequantizeLinear",
  "Dropout",
  "Erf",
  "Exp",
  "Floor",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "IsNaN",
  "LeakyRelu",
  "Log",
  "Neg",
  "Not",
  "QuantizeLinear",
  "Reciprocal",
  "Relu",
  "Round",
  "Sigmoid",
  "Sign",
  "Sin",
  "Softmax",
  "Sqrt",
  "Tanh",
];

/** Operators of two inputs that broadcast. */
export const ELEMENTWISE: readonly string[] = [
  "Add",
  "And",
  "Div",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Mul",
  "Or",
  "Pow",
  "Sub",
];

/** Operators that sum up along axes, as ReduceMean does. */
export const REDUCTIONS: readonly string[] = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSum",
  "ReduceSumSquare",
];
