// row_norms: norms[to + r] = Σ_k (rows[r, k] − shift[k])² over the first dim4 of
// stride4 vec4f
//
// rows [R, stride4], shift [D/4] (read when SHIFT), norms [≥ to + R]. One lane is
// one row.

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read> shift: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> norms: array<f32>;

struct Params {
  rows: u32,
  dim4: u32,
  stride4: u32,
  to: u32,
}
@group(0) @binding(3) var<uniform> params: Params;

override SHIFT: bool = false;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  var sum = vec4f();
  for (var k = 0u; k < params.dim4; k++) {
    var value = rows[row * params.stride4 + k];
    if (SHIFT) {
      value -= shift[k];
    }
    sum += value * value;
  }
  norms[params.to + row] = (sum.x + sum.y) + (sum.z + sum.w);
}
