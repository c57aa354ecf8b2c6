// Tile of 64 rows × 64 columns through workgroup memory, for GPUs.
//
// 64 lanes load 16 input channels of 64 pixels and their weights, then each
// computes 8 rows × 2 vec4 columns in named registers. Taps and channels are one
// running index, so that a 3-channel stem wastes no more than the last step.

var<workgroup> x_tile: array<vec4f, 256>; // [64 rows, 4]
var<workgroup> w_tile: array<vec4f, 256>; // [16 input channels, 16]

fn load_step(pixel: Pixel, step: u32, steps: u32, first: u32) -> vec4f {
  if (step >= steps) {
    return vec4f();
  }
  let tap = step / params.channels;
  let ky = tap / params.kernel_width;
  return load_x(
    tap_of(pixel, ky, tap - ky * params.kernel_width),
    first + step - tap * params.channels,
  );
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * 64u;
  let column = group.y * 16u;
  let x_row = lane >> 2u;
  let x_slot = lane & 3u;
  let w_row = lane >> 4u;
  let w_column = min(column + (lane & 15u), params.columns - 1u);
  let lane_row = lane >> 3u;
  let lane_column = lane & 7u;
  let steps = params.kernel_height * params.kernel_width * params.channels;
  let first = group.z * params.x_batch;
  let weights = group.z * params.w_batch + w_column;

  let pixel0 = pixel_of(row + x_row);
  let pixel1 = pixel_of(row + x_row + 16u);
  let pixel2 = pixel_of(row + x_row + 32u);
  let pixel3 = pixel_of(row + x_row + 48u);

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
  for (var k = 0u; k < steps; k += 4u) {
    x_tile[lane] = load_step(pixel0, k + x_slot, steps, first);
    x_tile[lane + 64u] = load_step(pixel1, k + x_slot, steps, first);
    x_tile[lane + 128u] = load_step(pixel2, k + x_slot, steps, first);
    x_tile[lane + 192u] = load_step(pixel3, k + x_slot, steps, first);
    w_tile[lane] = load_w(min(k * 4u + w_row, steps * 4u - 1u) * params.columns + weights);
    w_tile[lane + 64u] = load_w(min(k * 4u + w_row + 4u, steps * 4u - 1u) * params.columns + weights);
    w_tile[lane + 128u] = load_w(min(k * 4u + w_row + 8u, steps * 4u - 1u) * params.columns + weights);
    w_tile[lane + 192u] = load_w(min(k * 4u + w_row + 12u, steps * 4u - 1u) * params.columns + weights);
    workgroupBarrier();
    for (var q = 0u; q < 4u; q++) {
      let x_at = lane_row * 4u + q;
      let w_at = q * 64u + lane_column;
      let w0_0 = w_tile[w_at];
      let w0_1 = w_tile[w_at + 8u];
      let w1_0 = w_tile[w_at + 16u];
      let w1_1 = w_tile[w_at + 24u];
      let w2_0 = w_tile[w_at + 32u];
      let w2_1 = w_tile[w_at + 40u];
      let w3_0 = w_tile[w_at + 48u];
      let w3_1 = w_tile[w_at + 56u];
      let x0 = x_tile[x_at];
      s0_0 = multiply_add(s0_0, x0, w0_0, w1_0, w2_0, w3_0);
      s0_1 = multiply_add(s0_1, x0, w0_1, w1_1, w2_1, w3_1);
      let x1 = x_tile[x_at + 32u];
      s1_0 = multiply_add(s1_0, x1, w0_0, w1_0, w2_0, w3_0);
      s1_1 = multiply_add(s1_1, x1, w0_1, w1_1, w2_1, w3_1);
      let x2 = x_tile[x_at + 64u];
      s2_0 = multiply_add(s2_0, x2, w0_0, w1_0, w2_0, w3_0);
      s2_1 = multiply_add(s2_1, x2, w0_1, w1_1, w2_1, w3_1);
      let x3 = x_tile[x_at + 96u];
      s3_0 = multiply_add(s3_0, x3, w0_0, w1_0, w2_0, w3_0);
      s3_1 = multiply_add(s3_1, x3, w0_1, w1_1, w2_1, w3_1);
      let x4 = x_tile[x_at + 128u];
      s4_0 = multiply_add(s4_0, x4, w0_0, w1_0, w2_0, w3_0);
      s4_1 = multiply_add(s4_1, x4, w0_1, w1_1, w2_1, w3_1);
      let x5 = x_tile[x_at + 160u];
      s5_0 = multiply_add(s5_0, x5, w0_0, w1_0, w2_0, w3_0);
      s5_1 = multiply_add(s5_1, x5, w0_1, w1_1, w2_1, w3_1);
      let x6 = x_tile[x_at + 192u];
      s6_0 = multiply_add(s6_0, x6, w0_0, w1_0, w2_0, w3_0);
      s6_1 = multiply_add(s6_1, x6, w0_1, w1_1, w2_1, w3_1);
      let x7 = x_tile[x_at + 224u];
      s7_0 = multiply_add(s7_0, x7, w0_0, w1_0, w2_0, w3_0);
      s7_1 = multiply_add(s7_1, x7, w0_1, w1_1, w2_1, w3_1);
    }
    workgroupBarrier();
  }

  let out_row = row + lane_row;
  let out_column = column + lane_column;
  store(out_row, out_column, group.z, s0_0);
  store(out_row, out_column + 8u, group.z, s0_1);
  store(out_row + 8u, out_column, group.z, s1_0);
  store(out_row + 8u, out_column + 8u, group.z, s1_1);
  store(out_row + 16u, out_column, group.z, s2_0);
  store(out_row + 16u, out_column + 8u, group.z, s2_1);
  store(out_row + 24u, out_column, group.z, s3_0);
  store(out_row + 24u, out_column + 8u, group.z, s3_1);
  store(out_row + 32u, out_column, group.z, s4_0);
  store(out_row + 32u, out_column + 8u, group.z, s4_1);
  store(out_row + 40u, out_column, group.z, s5_0);
  store(out_row + 40u, out_column + 8u, group.z, s5_1);
  store(out_row + 48u, out_column, group.z, s6_0);
  store(out_row + 48u, out_column + 8u, group.z, s6_1);
  store(out_row + 56u, out_column, group.z, s7_0);
  store(out_row + 56u, out_column + 8u, group.z, s7_1);
}
