// mask_distances: distances of patches that do not count become 0, in place.
// One that was not found (its features are not finite) stays, so that it is
// told.
//
// distances [rows, k], mask [rows] of 0 or 1. One lane is one row.

@group(0) @binding(0) var<storage, read> mask: array<u32>;
@group(0) @binding(1) var<storage, read_write> distances: array<f32>;

struct Params {
  rows: u32,
  neighbours: u32, // k
}
@group(0) @binding(2) var<uniform> params: Params;

/// Distances from here on stand for "none found".
const FAR = 2.9e38;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows || mask[row] != 0u) {
    return;
  }
  for (var k = 0u; k < params.neighbours; k++) {
    let at = row * params.neighbours + k;
    if (distances[at] < FAR) {
      distances[at] = 0.0;
    }
  }
}
