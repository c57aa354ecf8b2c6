// row_distances: distances[q, r] = Σ_k (queries[q, k] − rows[r, k])², for few rows
//
// queries [Q, D/4], rows [R, D/4], distances [Q, R]; the grid: x over rows, y over
// queries. A query's address is the same for all lanes.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> distances: array<f32>;

struct Params {
  rows: u32,
  dim4: u32,
}
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  let q = group.y * params.dim4;
  let r = row * params.dim4;
  var sum = vec4f();
  for (var k = 0u; k < params.dim4; k++) {
    let difference = queries[q + k] - rows[r + k];
    sum += difference * difference;
  }
  distances[group.y * params.rows + row] = (sum.x + sum.y) + (sum.z + sum.w);
}
