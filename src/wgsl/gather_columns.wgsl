// gather_columns: y[p, first_slot + n, d] = x[n · positions + p, columns[d]], so that the
// rows of one position follow one another; zero for d past the last column
//
// x [N · positions, stride], columns [count], y [positions, slots, D]; the grid: x
// over d, y over positions, z over images.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

struct Params {
  positions: u32,
  stride: u32,
  count: u32,
  dim: u32, // D, at least `count`
  slots: u32, // rows of a position in `y`
  first_image: u32, // in `x`
  first_slot: u32, // its row in `y`
}
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = group.x * 64u + lane;
  if (d >= params.dim) {
    return;
  }
  let row = (params.first_image + group.z) * params.positions + group.y;
  var value = 0.0;
  if (d < params.count) {
    value = x[row * params.stride + columns[d]];
  }
  y[(group.y * params.slots + params.first_slot + group.z) * params.dim + d] = value;
}
