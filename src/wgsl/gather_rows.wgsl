// gather_rows: y[i] = x[indices[i] - first] for the indices that lie in the
// chunk; one dispatch a chunk of a row set.
//
// x       [count, D/4]  row-major chunk of a row set, from row `first` on
// indices [rows]        rows of the whole set
// y       [rows, D/4]   rows of other chunks are left alone, or zeroed by FILL
// The grid: x over elements, y and z over the list

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

struct Params {
  rows: u32,
  columns: u32, // D / 4
  first: u32,
  count: u32,
}
@group(0) @binding(3) var<uniform> params: Params;

override FILL: bool = false;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = group.x * 64u + lane;
  let place = group.z * groups.y + group.y;
  if (column >= params.columns || place >= params.rows) {
    return;
  }
  let row = indices[place] - params.first;
  if (row < params.count) {
    y[place * params.columns + column] = x[row * params.columns + column];
  } else if (FILL) {
    y[place * params.columns + column] = vec4f();
  }
}
