// copy_rows: copies the rows that a list names out of one chunk of a row set.
//
// x [count, dim], indices [start + rows] into the whole row set, y [to + rows,
// dim]; the grid: x over columns, y and z over rows. Rows of other chunks are
// left to their dispatches.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

struct Params {
  rows: u32,
  columns: u32, // dim / 4
  first: u32, // index of the chunk's first row
  count: u32, // rows of the chunk
  start: u32, // where the list begins
  to: u32, // the first row that is written
}
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let column = group.x * 64u + lane;
  let row = group.z * groups.y + group.y;
  if (column >= params.columns || row >= params.rows) {
    return;
  }
  // An index before the first one wraps around to a huge number.
  let at = indices[params.start + row] - params.first;
  if (at < params.count) {
    y[(params.to + row) * params.columns + column] = x[at * params.columns + column];
  }
}
