// packed_norms: norms[r] = Σ_k packed[r, k]² of rows in panels (see pack_rows), over
// the first `dim` of `stride` dimensions
//
// packed [panels, stride, 16]   vec4f of 4 rows
// norms  [panels * 16]          vec4f of 4 rows; FAR for rows past the end

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> norms: array<vec4f>;

struct Params {
  rows: u32,
  dim: u32,
  stride: u32,
  columns: u32, // vec4f of 4 rows: panels * 16
  to4: u32, // where in norms the first row goes, / 4
}
@group(0) @binding(2) var<uniform> params: Params;

const FAR = 3e38;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.columns) {
    return;
  }
  let panel = i >> 4u;
  let column = i & 15u;
  var sum = vec4f();
  var at = panel * params.stride * 16u + column;
  for (var k = 0u; k < params.dim; k++) {
    let v = packed[at];
    sum += v * v;
    at += 16u;
  }
  // The norms are stored in the order of the rows.
  let first = (column & 7u) * 8u + (column >> 3u) * 4u;
  let row = vec4u(panel * 64u + first) + vec4u(0u, 1u, 2u, 3u);
  norms[params.to4 + panel * 16u + first / 4u] = select(vec4f(FAR), sum, row < vec4u(params.rows));
}
