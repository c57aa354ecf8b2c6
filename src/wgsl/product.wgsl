// product: C[z] = scale · A[z] · B[z], or added to C, for small products
//
// a [elements]   element (m, k) of product z at
//                a_first + z · a_batch + m · a_row + k · a_column
// b [rows, N/4]  row k of product z from z · b_batch4 + k · b_row4 on
// c [rows, N/4]  row m of product z from z · c_batch4 + m · c_row4 on
//
// The grid: x over columns, y over 16 rows, z over products. A lane owns 16 rows ×
// 4 columns; the elements of A have the same address for all lanes.

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
  let a0 = base + min(row + 0u, last) * params.a_row;
  let a1 = base + min(row + 1u, last) * params.a_row;
  let a2 = base + min(row + 2u, last) * params.a_row;
  let a3 = base + min(row + 3u, last) * params.a_row;
  let a4 = base + min(row + 4u, last) * params.a_row;
  let a5 = base + min(row + 5u, last) * params.a_row;
  let a6 = base + min(row + 6u, last) * params.a_row;
  let a7 = base + min(row + 7u, last) * params.a_row;
  let a8 = base + min(row + 8u, last) * params.a_row;
  let a9 = base + min(row + 9u, last) * params.a_row;
  let a10 = base + min(row + 10u, last) * params.a_row;
  let a11 = base + min(row + 11u, last) * params.a_row;
  let a12 = base + min(row + 12u, last) * params.a_row;
  let a13 = base + min(row + 13u, last) * params.a_row;
  let a14 = base + min(row + 14u, last) * params.a_row;
  let a15 = base + min(row + 15u, last) * params.a_row;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var s8 = vec4f();
  var s9 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s14 = vec4f();
  var s15 = vec4f();
  var step = 0u;
  var at = group.z * params.b_batch4 + column;
  for (var k = 0u; k < params.inner; k++) {
    let value = b[at];
    s0 += a[a0 + step] * value;
    s1 += a[a1 + step] * value;
    s2 += a[a2 + step] * value;
    s3 += a[a3 + step] * value;
    s4 += a[a4 + step] * value;
    s5 += a[a5 + step] * value;
    s6 += a[a6 + step] * value;
    s7 += a[a7 + step] * value;
    s8 += a[a8 + step] * value;
    s9 += a[a9 + step] * value;
    s10 += a[a10 + step] * value;
    s11 += a[a11 + step] * value;
    s12 += a[a12 + step] * value;
    s13 += a[a13 + step] * value;
    s14 += a[a14 + step] * value;
    s15 += a[a15 + step] * value;
    step += params.a_column;
    at += params.b_row4;
  }
  let to = group.z * params.c_batch4 + column;
  store(row + 0u, to, s0);
  store(row + 1u, to, s1);
  store(row + 2u, to, s2);
  store(row + 3u, to, s3);
  store(row + 4u, to, s4);
  store(row + 5u, to, s5);
  store(row + 6u, to, s6);
  store(row + 7u, to, s7);
  store(row + 8u, to, s8);
  store(row + 9u, to, s9);
  store(row + 10u, to, s10);
  store(row + 11u, to, s11);
  store(row + 12u, to, s12);
  store(row + 13u, to, s13);
  store(row + 14u, to, s14);
  store(row + 15u, to, s15);
}
