// peak_copy: y = x, to measure how fast kernels read and write memory.
//
// x, y [4 · 64 · workgroups]; a lane moves 4 words, 64 apart

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x * 256u + lane;
  y[at] = x[at];
  y[at + 64u] = x[at + 64u];
  y[at + 128u] = x[at + 128u];
  y[at + 192u] = x[at + 192u];
}
