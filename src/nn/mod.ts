/**
 * What runs a network: ONNX → graph → plan → GPU. It knows nothing of anomalies.
 *
 * @module
 */
export * from "./conv_choice.ts";
export * from "./conv_tile.ts";
export * from "./conv_tuning.ts";
export * from "./extent.ts";
export * from "./graph.ts";
export * from "./layout.ts";
export * from "./memory_plan.ts";
export * from "./network.ts";
export * from "./onnx/errors.ts";
export * from "./onnx/read.ts";
export type { ReadExternal } from "./onnx/tensor_data.ts";
export * from "./plan.ts";
export * from "./plan_context.ts";
export * from "./session.ts";
export * from "./shape_inference.ts";
export type { Shape } from "./shape_rules.ts";
export * from "./taps.ts";
export { recogniseTransformer } from "./transformer/recognise.ts";
