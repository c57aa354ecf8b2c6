import type { Kernel } from "../../src/wgsl/kernel.ts";

/** Sizes of {@linkcode scaleKernel}. */
export interface ScaleSizes {
  /** Number of elements. */
  readonly count: number;
  /** What each is multiplied by. */
  readonly factor: number;
  /** What is added; an override constant. */
  readonly shift?: number;
}

/** `y = factor · x + SHIFT`: the smallest kernel with everything a kernel has. */
export const scaleKernel: Kernel<ScaleSizes, "x" | "y"> = {
  name: "scale",
  source: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    struct Params { count: u32, factor: f32 }
    @group(0) @binding(2) var<uniform> params: Params;
    override SHIFT: i32 = 0;

    @compute @workgroup_size(8)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < params.count) {
        y[id.x] = params.factor * x[id.x] + f32(SHIFT);
      }
    }`,
  bindings: { x: "read", y: "read_write" },
  params: { count: "u32", factor: "f32" },
  overrides: { SHIFT: 0 },
  plan: ({ count, factor, shift = 0 }) => ({
    params: { count, factor },
    overrides: { SHIFT: shift },
    workgroups: [Math.ceil(count / 8), 1, 1],
  }),
};
