/**
 * Every ONNX operator the engine knows, in plain TypeScript over NCHW host
 * tensors with float64 sums: the oracles of the kernels and of graph passes.
 * Each takes the node's inputs by position and its attributes.
 */
export * from "./operators_elementwise.ts";
export * from "./operators_linear.ts";
export * from "./operators_movement.ts";
export * from "./operators_window.ts";
