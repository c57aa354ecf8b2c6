// residual_rows: y[r, d] = x[first + r, d] − centroids[d, lists[r]]
//
// x [.., D], centroids [D, padded], lists [R], y [R, D]; the grid: x over d, y and
// z over rows.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> centroids: array<f32>;
@group(0) @binding(2) var<storage, read> lists: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  rows: u32,
  first: u32,
  dim: u32,
  padded: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let d = group.x * 64u + lane;
  let row = group.z * groups.y + group.y;
  if (d >= params.dim || row >= params.rows) {
    return;
  }
  y[row * params.dim + d] = x[(params.first + row) * params.dim + d] -
    centroids[d * params.padded + lists[row]];
}
