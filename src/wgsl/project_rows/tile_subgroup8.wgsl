// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two rows and
// the others get them by subgroupBroadcast.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = wid.y * grid.x + wid.x;
  let row_tile = tile / params.column_tiles;
  let row = row_tile * 16u;
  let column = (tile - row_tile * params.column_tiles) * 2u * 8u + lane;
  if (row >= params.rows) {
    return;
  }
  let last = params.columns - 1u;
  let column0 = min(column, last);
  let column1 = min(column + 8u, last);
  let last_row = params.rows - 1u;
  let x0_at = (params.from_row + min(row + lane, last_row)) * params.dim4;
  let x1_at = (params.from_row + min(row + 8u + lane, last_row)) * params.dim4;
  var s0_0 = vec4f();
  var s0_1 = vec4f();
  var s1_0 = vec4f();
  var s1_1 = vec4f();
  var s2_0 = vec4f();
  var s2_1 = vec4f();
  var s3_0 = vec4f();
  var s3_1 = vec4f();
  var s4_0 = vec4f();
  var s4_1 = vec4f();
  var s5_0 = vec4f();
  var s5_1 = vec4f();
  var s6_0 = vec4f();
  var s6_1 = vec4f();
  var s7_0 = vec4f();
  var s7_1 = vec4f();
  var s8_0 = vec4f();
  var s8_1 = vec4f();
  var s9_0 = vec4f();
  var s9_1 = vec4f();
  var s10_0 = vec4f();
  var s10_1 = vec4f();
  var s11_0 = vec4f();
  var s11_1 = vec4f();
  var s12_0 = vec4f();
  var s12_1 = vec4f();
  var s13_0 = vec4f();
  var s13_1 = vec4f();
  var s14_0 = vec4f();
  var s14_1 = vec4f();
  var s15_0 = vec4f();
  var s15_1 = vec4f();
  var at = 0u;
  for (var k = 0u; k < params.dim4; k++) {
    let w0_0 = load_w(at + column0);
    let w0_1 = load_w(at + column1);
    let w1_0 = load_w(at + params.columns + column0);
    let w1_1 = load_w(at + params.columns + column1);
    let w2_0 = load_w(at + 2u * params.columns + column0);
    let w2_1 = load_w(at + 2u * params.columns + column1);
    let w3_0 = load_w(at + 3u * params.columns + column0);
    let w3_1 = load_w(at + 3u * params.columns + column1);
    at += 4u * params.columns;
    let x0 = load(x0_at, k);
    let x1 = load(x1_at, k);
    let a0 = subgroupBroadcast(x0, 0u);
    s0_0 = multiply_add(s0_0, a0, w0_0, w1_0, w2_0, w3_0);
    s0_1 = multiply_add(s0_1, a0, w0_1, w1_1, w2_1, w3_1);
    let a1 = subgroupBroadcast(x0, 1u);
    s1_0 = multiply_add(s1_0, a1, w0_0, w1_0, w2_0, w3_0);
    s1_1 = multiply_add(s1_1, a1, w0_1, w1_1, w2_1, w3_1);
    let a2 = subgroupBroadcast(x0, 2u);
    s2_0 = multiply_add(s2_0, a2, w0_0, w1_0, w2_0, w3_0);
    s2_1 = multiply_add(s2_1, a2, w0_1, w1_1, w2_1, w3_1);
    let a3 = subgroupBroadcast(x0, 3u);
    s3_0 = multiply_add(s3_0, a3, w0_0, w1_0, w2_0, w3_0);
    s3_1 = multiply_add(s3_1, a3, w0_1, w1_1, w2_1, w3_1);
    let a4 = subgroupBroadcast(x0, 4u);
    s4_0 = multiply_add(s4_0, a4, w0_0, w1_0, w2_0, w3_0);
    s4_1 = multiply_add(s4_1, a4, w0_1, w1_1, w2_1, w3_1);
    let a5 = subgroupBroadcast(x0, 5u);
    s5_0 = multiply_add(s5_0, a5, w0_0, w1_0, w2_0, w3_0);
    s5_1 = multiply_add(s5_1, a5, w0_1, w1_1, w2_1, w3_1);
    let a6 = subgroupBroadcast(x0, 6u);
    s6_0 = multiply_add(s6_0, a6, w0_0, w1_0, w2_0, w3_0);
    s6_1 = multiply_add(s6_1, a6, w0_1, w1_1, w2_1, w3_1);
    let a7 = subgroupBroadcast(x0, 7u);
    s7_0 = multiply_add(s7_0, a7, w0_0, w1_0, w2_0, w3_0);
    s7_1 = multiply_add(s7_1, a7, w0_1, w1_1, w2_1, w3_1);
    let a8 = subgroupBroadcast(x1, 0u);
    s8_0 = multiply_add(s8_0, a8, w0_0, w1_0, w2_0, w3_0);
    s8_1 = multiply_add(s8_1, a8, w0_1, w1_1, w2_1, w3_1);
    let a9 = subgroupBroadcast(x1, 1u);
    s9_0 = multiply_add(s9_0, a9, w0_0, w1_0, w2_0, w3_0);
    s9_1 = multiply_add(s9_1, a9, w0_1, w1_1, w2_1, w3_1);
    let a10 = subgroupBroadcast(x1, 2u);
    s10_0 = multiply_add(s10_0, a10, w0_0, w1_0, w2_0, w3_0);
    s10_1 = multiply_add(s10_1, a10, w0_1, w1_1, w2_1, w3_1);
    let a11 = subgroupBroadcast(x1, 3u);
    s11_0 = multiply_add(s11_0, a11, w0_0, w1_0, w2_0, w3_0);
    s11_1 = multiply_add(s11_1, a11, w0_1, w1_1, w2_1, w3_1);
    let a12 = subgroupBroadcast(x1, 4u);
    s12_0 = multiply_add(s12_0, a12, w0_0, w1_0, w2_0, w3_0);
    s12_1 = multiply_add(s12_1, a12, w0_1, w1_1, w2_1, w3_1);
    let a13 = subgroupBroadcast(x1, 5u);
    s13_0 = multiply_add(s13_0, a13, w0_0, w1_0, w2_0, w3_0);
    s13_1 = multiply_add(s13_1, a13, w0_1, w1_1, w2_1, w3_1);
    let a14 = subgroupBroadcast(x1, 6u);
    s14_0 = multiply_add(s14_0, a14, w0_0, w1_0, w2_0, w3_0);
    s14_1 = multiply_add(s14_1, a14, w0_1, w1_1, w2_1, w3_1);
    let a15 = subgroupBroadcast(x1, 7u);
    s15_0 = multiply_add(s15_0, a15, w0_0, w1_0, w2_0, w3_0);
    s15_1 = multiply_add(s15_1, a15, w0_1, w1_1, w2_1, w3_1);
  }
  store(row + 0u, column, s0_0);
  store(row + 0u, column + 8u, s0_1);
  store(row + 1u, column, s1_0);
  store(row + 1u, column + 8u, s1_1);
  store(row + 2u, column, s2_0);
  store(row + 2u, column + 8u, s2_1);
  store(row + 3u, column, s3_0);
  store(row + 3u, column + 8u, s3_1);
  store(row + 4u, column, s4_0);
  store(row + 4u, column + 8u, s4_1);
  store(row + 5u, column, s5_0);
  store(row + 5u, column + 8u, s5_1);
  store(row + 6u, column, s6_0);
  store(row + 6u, column + 8u, s6_1);
  store(row + 7u, column, s7_0);
  store(row + 7u, column + 8u, s7_1);
  store(row + 8u, column, s8_0);
  store(row + 8u, column + 8u, s8_1);
  store(row + 9u, column, s9_0);
  store(row + 9u, column + 8u, s9_1);
  store(row + 10u, column, s10_0);
  store(row + 10u, column + 8u, s10_1);
  store(row + 11u, column, s11_0);
  store(row + 11u, column + 8u, s11_1);
  store(row + 12u, column, s12_0);
  store(row + 12u, column + 8u, s12_1);
  store(row + 13u, column, s13_0);
  store(row + 13u, column + 8u, s13_1);
  store(row + 14u, column, s14_0);
  store(row + 14u, column + 8u, s14_1);
  store(row + 15u, column, s15_0);
  store(row + 15u, column + 8u, s15_1);
}
