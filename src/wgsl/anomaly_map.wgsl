// anomaly_map: one axis of the upsampling and smoothing of score maps; the
// axes are swapped on the way, so that running it twice does both.
//
// y[n, o, a] = Σ_t weights[o, t] · x[n, a, first(o) + t]. Outputs come in
// blocks of 8 that share their source points.
//
// x [N, lines, points], blocks [⌈outputs / 8⌉] of (first point, points, first
// weight), weights two vec4 for each of a block's points, y [N, outputs,
// lines]; the grid: x over lines, y over blocks, z over images. The weights'
// addresses are the same for all lanes.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> blocks: array<vec4u>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  lines: u32,
  points: u32,
  outputs: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let line = group.x * 64u + lane;
  if (line >= params.lines) {
    return;
  }
  let block = blocks[group.y];
  let source = (group.z * params.lines + line) * params.points + block.x;
  var low = vec4f();
  var high = vec4f();
  for (var t = 0u; t < block.y; t++) {
    let value = x[source + t];
    low += weights[block.z + 2u * t] * value;
    high += weights[block.z + 2u * t + 1u] * value;
  }
  let output = group.y * 8u;
  let left = params.outputs - output;
  let at = (group.z * params.outputs + output) * params.lines + line;
  y[at] = low.x;
  if (left > 1u) { y[at + params.lines] = low.y; }
  if (left > 2u) { y[at + 2u * params.lines] = low.z; }
  if (left > 3u) { y[at + 3u * params.lines] = low.w; }
  if (left > 4u) { y[at + 4u * params.lines] = high.x; }
  if (left > 5u) { y[at + 5u * params.lines] = high.y; }
  if (left > 6u) { y[at + 6u * params.lines] = high.z; }
  if (left > 7u) { y[at + 7u * params.lines] = high.w; }
}
