/**
 * How ONNX operators become dispatches: one function per operator, named like
 * it, gathered in families.
 *
 * @module
 */
import type { Operator } from "./operator.ts";
import { Conv } from "./convolution.ts";
import { Gemm, MatMul } from "./matrix_product.ts";
import {
  Add,
  BatchNormalization,
  Clip,
  Div,
  HardSigmoid,
  HardSwish,
  LeakyRelu,
  Mul,
  PRelu,
  Relu,
  Sigmoid,
  Sub,
} from "./elementwise.ts";
import {
  Concat,
  Dropout,
  Flatten,
  Gather,
  Identity,
  Pad,
  Reshape,
  Slice,
  Split,
  Squeeze,
  Unsqueeze,
} from "./movement.ts";
import {
  AveragePool,
  GlobalAveragePool,
  MaxPool,
  ReduceMean,
  Softmax,
} from "./reduction.ts";
import { TOKEN_PLANS } from "./tokens.ts";

/** The operators that run on the GPU, by ONNX name. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  Add,
  AveragePool,
  BatchNormalization,
  Clip,
  Concat,
  Conv,
  Div,
  Dropout,
  Flatten,
  Gather,
  Gemm,
  GlobalAveragePool,
  HardSigmoid,
  HardSwish,
  Identity,
  LeakyRelu,
  MatMul,
  MaxPool,
  Mul,
  PRelu,
  Pad,
  ReduceMean,
  Relu,
  Reshape,
  Sigmoid,
  Slice,
  Softmax,
  Split,
  Squeeze,
  Sub,
  Unsqueeze,
  ...TOKEN_PLANS,
};
