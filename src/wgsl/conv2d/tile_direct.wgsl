// Tile of 8 rows × 64 columns in registers alone: no workgroup memory, no
// subgroups, so it runs everywhere.
//
// A lane owns 2 vec4 columns of all 8 rows. The inputs' addresses depend only
// on the workgroup and the loops, so that they are uniform over the lanes.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * 8u;
  let column = group.y * 16u + lane;
  let last = params.columns - 1u;
  let column0 = min(column, last);
  let column1 = min(column + 8u, last);
  let pixel0 = pixel_of(row + 0u);
  let pixel1 = pixel_of(row + 1u);
  let pixel2 = pixel_of(row + 2u);
  let pixel3 = pixel_of(row + 3u);
  let pixel4 = pixel_of(row + 4u);
  let pixel5 = pixel_of(row + 5u);
  let pixel6 = pixel_of(row + 6u);
  let pixel7 = pixel_of(row + 7u);

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
  var k = group.z * params.w_batch;
  let first = group.z * params.x_batch;
  for (var ky = 0u; ky < params.kernel_height; ky++) {
    for (var kx = 0u; kx < params.kernel_width; kx++) {
      let tap0 = tap_of(pixel0, ky, kx);
      let tap1 = tap_of(pixel1, ky, kx);
      let tap2 = tap_of(pixel2, ky, kx);
      let tap3 = tap_of(pixel3, ky, kx);
      let tap4 = tap_of(pixel4, ky, kx);
      let tap5 = tap_of(pixel5, ky, kx);
      let tap6 = tap_of(pixel6, ky, kx);
      let tap7 = tap_of(pixel7, ky, kx);
      for (var c = 0u; c < params.channels; c++) {
        let x0 = load_x(tap0, first + c);
        let x1 = load_x(tap1, first + c);
        let x2 = load_x(tap2, first + c);
        let x3 = load_x(tap3, first + c);
        let x4 = load_x(tap4, first + c);
        let x5 = load_x(tap5, first + c);
        let x6 = load_x(tap6, first + c);
        let x7 = load_x(tap7, first + c);
        let w0_0 = load_w(k + column0);
        let w0_1 = load_w(k + column1);
        let w1_0 = load_w(k + params.columns + column0);
        let w1_1 = load_w(k + params.columns + column1);
        let w2_0 = load_w(k + 2u * params.columns + column0);
        let w2_1 = load_w(k + 2u * params.columns + column1);
        let w3_0 = load_w(k + 3u * params.columns + column0);
        let w3_1 = load_w(k + 3u * params.columns + column1);
        k += 4u * params.columns;
        s0_0 = multiply_add(s0_0, x0, w0_0, w1_0, w2_0, w3_0);
        s0_1 = multiply_add(s0_1, x0, w0_1, w1_1, w2_1, w3_1);
        s1_0 = multiply_add(s1_0, x1, w0_0, w1_0, w2_0, w3_0);
        s1_1 = multiply_add(s1_1, x1, w0_1, w1_1, w2_1, w3_1);
        s2_0 = multiply_add(s2_0, x2, w0_0, w1_0, w2_0, w3_0);
        s2_1 = multiply_add(s2_1, x2, w0_1, w1_1, w2_1, w3_1);
        s3_0 = multiply_add(s3_0, x3, w0_0, w1_0, w2_0, w3_0);
        s3_1 = multiply_add(s3_1, x3, w0_1, w1_1, w2_1, w3_1);
        s4_0 = multiply_add(s4_0, x4, w0_0, w1_0, w2_0, w3_0);
        s4_1 = multiply_add(s4_1, x4, w0_1, w1_1, w2_1, w3_1);
        s5_0 = multiply_add(s5_0, x5, w0_0, w1_0, w2_0, w3_0);
        s5_1 = multiply_add(s5_1, x5, w0_1, w1_1, w2_1, w3_1);
        s6_0 = multiply_add(s6_0, x6, w0_0, w1_0, w2_0, w3_0);
        s6_1 = multiply_add(s6_1, x6, w0_1, w1_1, w2_1, w3_1);
        s7_0 = multiply_add(s7_0, x7, w0_0, w1_0, w2_0, w3_0);
        s7_1 = multiply_add(s7_1, x7, w0_1, w1_1, w2_1, w3_1);
      }
    }
  }

  store(row, column, group.z, s0_0);
  store(row, column + 8u, group.z, s0_1);
  store(row + 1u, column, group.z, s1_0);
  store(row + 1u, column + 8u, group.z, s1_1);
  store(row + 2u, column, group.z, s2_0);
  store(row + 2u, column + 8u, group.z, s2_1);
  store(row + 3u, column, group.z, s3_0);
  store(row + 3u, column + 8u, group.z, s3_1);
  store(row + 4u, column, group.z, s4_0);
  store(row + 4u, column + 8u, group.z, s4_1);
  store(row + 5u, column, group.z, s5_0);
  store(row + 5u, column + 8u, group.z, s5_1);
  store(row + 6u, column, group.z, s6_0);
  store(row + 6u, column + 8u, group.z, s6_1);
  store(row + 7u, column, group.z, s7_0);
  store(row + 7u, column + 8u, group.z, s7_1);
}
