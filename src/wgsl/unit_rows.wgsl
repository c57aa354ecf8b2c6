// unit_rows: rows [from, from + R) divided by their length, in place. A row of
// zeros stays as it is; one whose squared length is not finite becomes NaN, as
// bits, because no adapter promises to make NaN of a division.
//
// rows [≥ from + R, D/4]. One lane is one row.

@group(0) @binding(0) var<storage, read_write> rows: array<vec4u>;

struct Params {
  rows: u32, // R
  dim4: u32, // D / 4
  first: u32, // from
}
@group(0) @binding(1) var<uniform> params: Params;

const NAN_BITS = 0x7fc00000u;
const INFINITE = 0x7f800000u;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  let start = (params.first + row) * params.dim4;
  var sum = vec4f();
  for (var k = 0u; k < params.dim4; k++) {
    let value = bitcast<vec4f>(rows[start + k]);
    sum += value * value;
  }
  let squared = (sum.x + sum.y) + (sum.z + sum.w);
  let is_finite = (bitcast<u32>(squared) & INFINITE) != INFINITE;
  let length = select(1.0, sqrt(squared), is_finite && squared > 0.0);
  for (var k = 0u; k < params.dim4; k++) {
    let value = bitcast<vec4u>(bitcast<vec4f>(rows[start + k]) / length);
    rows[start + k] = select(vec4u(NAN_BITS), value, is_finite);
  }
}
