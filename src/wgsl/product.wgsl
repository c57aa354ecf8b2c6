// product: C[z] = scale · A[z] · B[z], or added to C, for small products
//
// a [elements]   element (m, k) of product z at
//                a_first + z · a_batch + m · a_row + k · a_column
// b [rows, N/4]  row k of product z from z · b_batch4 + k · b_row4 on
// c [rows, N/4]  row m of product z from z · c_batch4 + m · c_row4 on
//
// The grid: x over columns, y over 16 rows, z over products. A lane owns 16 rows ×
// 4 columns; the elements of A have the same address for all lanes.
//# Written out for 16 rows.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

struct Params {
  rows: u32,
  inner: u32,
  columns4: u32,
  a_first: u32,
  a_row: u32,
  a_column: u32,
  a_batch: u32,
  b_row4: u32,
  b_batch4: u32,
  c_row4: u32,
  c_batch4: u32,
  scale: f32,
}
@group(0) @binding(3) var<uniform> params: Params;

override LANES: u32 = 64u;
override ADD: bool = false;

fn store(row: u32, to: u32, sum: vec4f) {
  if (row >= params.rows) {
    return;
  }
  let at = to + row * params.c_row4;
  if (ADD) {
    c[at] += params.scale * sum;
  } else {
    c[at] = params.scale * sum;
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = group.x * LANES + lane;
  if (column >= params.columns4) {
    return;
  }
  let row = group.y * 16u;
  let last = params.rows - 1u;
  let base = params.a_first + group.z * params.a_batch;
  //#for q 0 16
  let a{q} = base + min(row + {q}u, last) * params.a_row;
  //#end
  //#for q 0 16
  var s{q} = vec4f();
  //#end
  var step = 0u;
  var at = group.z * params.b_batch4 + column;
  for (var k = 0u; k < params.inner; k++) {
    let value = b[at];
    //#for q 0 16
    s{q} += a[a{q} + step] * value;
    //#end
    step += params.a_column;
    at += params.b_row4;
  }
  let to = group.z * params.c_batch4 + column;
  //#for q 0 16
  store(row + {q}u, to, s{q});
  //#end
}
