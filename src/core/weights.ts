/**
 * Weights of backbones: which are published, how to read them, how to make an
 * ONNX network of them.
 *
 * @module
 */

export {
  type Architecture,
  POSITIONS,
  type Positions,
  POSITIONS_KEY,
} from "../nn/architectures/architecture.ts";
export { architecture, ARCHITECTURES } from "../nn/architectures/catalogue.ts";
export { randomWeights } from "../nn/architectures/random_weights.ts";
export { CheckpointError } from "../nn/checkpoint/checkpoint_error.ts";
export {
  type CheckpointGraph,
  checkpointGraph,
  type Converted,
  type ConvertOptions,
  convertWeights,
  type Level,
  LEVELS,
  recogniseArchitecture,
} from "../nn/checkpoint/convert.ts";
export {
  type CheckpointFormat,
  checkpointFormat,
  readStateDict,
  type StateDict,
} from "../nn/checkpoint/state_dict.ts";
export { cutGraph } from "../nn/cut.ts";
export { extentBytes, extentOf } from "../nn/extent.ts";
export { optimizeGraph } from "../nn/fusion.ts";
export {
  type ImageLevels,
  imageLevels,
  imageNormalization,
} from "../nn/image_normalization.ts";
export {
  KNOWN_WEIGHTS,
  knownByDigest,
  type KnownWeights,
  type Licence,
  LICENCE_KEY,
  LICENCE_TEXT_KEY,
  WEIGHTS_KEY,
  weightsTitle,
} from "../nn/known_weights.ts";
export { OnnxError } from "../nn/onnx/errors.ts";
export { planNetwork } from "../nn/plan.ts";
export { SafetensorsError } from "../nn/safetensors.ts";
export { sha256 } from "../nn/sha256.ts";
export { graphCost } from "../nn/cost.ts";
export type { Graph } from "../nn/graph.ts";
export { readOnnx } from "../nn/onnx/read.ts";
export { inferShapes } from "../nn/shape_inference.ts";
export {
  findTaps,
  isTransformer,
  levelsProblem,
  type Tap,
} from "../nn/taps.ts";
export { recogniseTransformer } from "../nn/transformer/recognise.ts";
export { looksUntrained, type TrainingVerdict } from "../nn/untrained.ts";
export { Gpu } from "../gpu/mod.ts";
