// pack_rows: row-major rows into panels of 64 rows with the dimension outermost
//
// rows   [R, D/4]          row-major, a vec4f holds 4 dimensions of one row
// shift  [D/4]             subtracted from every row when SHIFT
// packed [panels, D, 16]   a vec4f holds 4 rows at one dimension
//
// Row r of a panel is component r % 4 of vec4f (r / 4 % 2) * 8 + r / 8, so that
// one of 8 lanes finds 8 consecutive rows in the vec4f at its number and 8 on.
// Rows past the end are zero. One lane transposes 4 rows × 4 dimensions.

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read> shift: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

struct Params {
  count: u32, // rows
  dim4: u32,
  first: u32, // first row, in `rows`, of panel 0
  total: u32, // lanes at work: panels * dim4 * 16
}
@group(0) @binding(3) var<uniform> params: Params;

override SHIFT: bool = false;

fn load(row: u32, k: u32) -> vec4f {
  if (row >= params.count) {
    return vec4f();
  }
  let v = rows[(params.first + row) * params.dim4 + k];
  if (SHIFT) {
    return v - shift[k];
  }
  return v;
}

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.total) {
    return;
  }
  let column = i & 15u;
  let block = i >> 4u;
  let panel = block / params.dim4;
  let k = block - panel * params.dim4;
  let row = panel * 64u + (column & 7u) * 8u + (column >> 3u) * 4u;
  let a = load(row, k);
  let b = load(row + 1u, k);
  let c = load(row + 2u, k);
  let d = load(row + 3u, k);
  let at = block * 64u + column;
  packed[at] = vec4f(a.x, b.x, c.x, d.x);
  packed[at + 16u] = vec4f(a.y, b.y, c.y, d.y);
  packed[at + 32u] = vec4f(a.z, b.z, c.z, d.z);
  packed[at + 48u] = vec4f(a.w, b.w, c.w, d.w);
}
