// conv2d_sum: y[m, o] = activate(Σ_s x[s, m, o] + bias[o] + residual[m, o]), the
// last step of a convolution whose inputs were split among workgroups.
//
// x        [S, M, O4]   partial sums over M output pixels
// bias     [O4]
// residual [M, O4]      read when RESIDUAL, see epilogue.wgsl
// y        [M, O4]
// A lane computes one vec4; the grid: x and y over all of them

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  columns: u32, // O4
  count: u32, // M · O4
  splits: u32, // S

  // see activation.wgsl
  act_low: f32,
  act_high: f32,

  // see epilogue.wgsl
  turn_rows: u32,
  turn_columns: u32,
  turn_limit: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  var sum = x[at];
  for (var part = 1u; part < params.splits; part++) {
    sum += x[part * params.count + at];
  }
  let row = at / params.columns;
  y[at] = finish(sum, row, at - row * params.columns, at);
}
