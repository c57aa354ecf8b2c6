// Tile through workgroup memory, for GPUs; a part before this one says how large.
//
// The lanes load 4 << DEPTH_BITS input channels of the tile's pixels and their
// weights, then each computes 8 rows × 2 vec4 columns in named registers. Taps
// and channels are one running index, so that a 3-channel stem wastes no more
// than the last step. `splits` workgroups may share that index; each then writes
// a sum of its own.

const ROW_LANES = LANES >> LANE_BITS;
const ROW_STRIDE = ROW_LANES << DEPTH_BITS; // in x_tile, between a lane's rows
const COLUMNS = 1u << COLUMN_BITS;
const COLUMN_LANES = 1u << LANE_BITS;

var<workgroup> x_tile: array<vec4f, 256>; // [rows, 1 << DEPTH_BITS]
var<workgroup> w_tile: array<vec4f, 256>; // [4 << DEPTH_BITS, COLUMNS]

fn load_step(pixel: Pixel, step: u32, end: u32, first: u32) -> vec4f {
  if (step >= end) {
    return vec4f();
  }
  let tap = step / params.channels;
  let ky = tap / params.kernel_width;
  return load_x(
    tap_of(pixel, ky, tap - ky * params.kernel_width),
    first + step - tap * params.channels,
  );
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * ROW_LANES * 8u;
  let column = group.y * COLUMNS;
  let x_row = lane >> DEPTH_BITS;
  let x_slot = lane & ((1u << DEPTH_BITS) - 1u);
  let w_row = lane >> COLUMN_BITS;
  let w_column = min(column + (lane & (COLUMNS - 1u)), params.columns - 1u);
  let lane_row = lane >> LANE_BITS;
  let lane_column = lane & (COLUMN_LANES - 1u);
  let steps = params.kernel_height * params.kernel_width * params.channels;
  let batch = group.z / params.splits;
  let share = (steps + params.splits - 1u) / params.splits;
  let begin = (group.z - batch * params.splits) * share;
  let end = min(begin + share, steps);
  let last = steps * 4u - 1u;
  let first = batch * params.x_batch;
  let weights = batch * params.w_batch + w_column;

  let pixel0 = pixel_of(row + x_row);
  let pixel1 = pixel_of(row + x_row + (LANES >> DEPTH_BITS));
  let pixel2 = pixel_of(row + x_row + 2u * (LANES >> DEPTH_BITS));
  let pixel3 = pixel_of(row + x_row + 3u * (LANES >> DEPTH_BITS));

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
  for (var k = begin; k < end; k += 1u << DEPTH_BITS) {
    let w_from = k * 4u + w_row;
    x_tile[lane] = load_step(pixel0, k + x_slot, end, first);
    w_tile[lane] = load_w(min(w_from, last) * params.columns + weights);
    if (LOADS == 4u) {
      x_tile[lane + LANES] = load_step(pixel1, k + x_slot, end, first);
      x_tile[lane + 2u * LANES] = load_step(pixel2, k + x_slot, end, first);
      x_tile[lane + 3u * LANES] = load_step(pixel3, k + x_slot, end, first);
      w_tile[lane + LANES] = load_w(min(w_from + (LANES >> COLUMN_BITS), last) * params.columns + weights);
      w_tile[lane + 2u * LANES] = load_w(min(w_from + 2u * (LANES >> COLUMN_BITS), last) * params.columns + weights);
      w_tile[lane + 3u * LANES] = load_w(min(w_from + 3u * (LANES >> COLUMN_BITS), last) * params.columns + weights);
    }
    workgroupBarrier();
    for (var q = 0u; q < 1u << DEPTH_BITS; q++) {
      let x_at = (lane_row << DEPTH_BITS) + q;
      let w_at = q * 4u * COLUMNS + lane_column;
      let w0_0 = w_tile[w_at];
      let w0_1 = w_tile[w_at + COLUMN_LANES];
      let w1_0 = w_tile[w_at + COLUMNS];
      let w1_1 = w_tile[w_at + COLUMNS + COLUMN_LANES];
      let w2_0 = w_tile[w_at + 2u * COLUMNS];
      let w2_1 = w_tile[w_at + 2u * COLUMNS + COLUMN_LANES];
      let w3_0 = w_tile[w_at + 3u * COLUMNS];
      let w3_1 = w_tile[w_at + 3u * COLUMNS + COLUMN_LANES];
      let x0 = x_tile[x_at];
      s0_0 = multiply_add(s0_0, x0, w0_0, w1_0, w2_0, w3_0);
      s0_1 = multiply_add(s0_1, x0, w0_1, w1_1, w2_1, w3_1);
      let x1 = x_tile[x_at + ROW_STRIDE];
      s1_0 = multiply_add(s1_0, x1, w0_0, w1_0, w2_0, w3_0);
      s1_1 = multiply_add(s1_1, x1, w0_1, w1_1, w2_1, w3_1);
      let x2 = x_tile[x_at + 2u * ROW_STRIDE];
      s2_0 = multiply_add(s2_0, x2, w0_0, w1_0, w2_0, w3_0);
      s2_1 = multiply_add(s2_1, x2, w0_1, w1_1, w2_1, w3_1);
      let x3 = x_tile[x_at + 3u * ROW_STRIDE];
      s3_0 = multiply_add(s3_0, x3, w0_0, w1_0, w2_0, w3_0);
      s3_1 = multiply_add(s3_1, x3, w0_1, w1_1, w2_1, w3_1);
      let x4 = x_tile[x_at + 4u * ROW_STRIDE];
      s4_0 = multiply_add(s4_0, x4, w0_0, w1_0, w2_0, w3_0);
      s4_1 = multiply_add(s4_1, x4, w0_1, w1_1, w2_1, w3_1);
      let x5 = x_tile[x_at + 5u * ROW_STRIDE];
      s5_0 = multiply_add(s5_0, x5, w0_0, w1_0, w2_0, w3_0);
      s5_1 = multiply_add(s5_1, x5, w0_1, w1_1, w2_1, w3_1);
      let x6 = x_tile[x_at + 6u * ROW_STRIDE];
      s6_0 = multiply_add(s6_0, x6, w0_0, w1_0, w2_0, w3_0);
      s6_1 = multiply_add(s6_1, x6, w0_1, w1_1, w2_1, w3_1);
      let x7 = x_tile[x_at + 7u * ROW_STRIDE];
      s7_0 = multiply_add(s7_0, x7, w0_0, w1_0, w2_0, w3_0);
      s7_1 = multiply_add(s7_1, x7, w0_1, w1_1, w2_1, w3_1);
    }
    workgroupBarrier();
  }

  let out_row = row + lane_row;
  let out_column = column + lane_column;
  store(out_row, out_column, group.z, s0_0);
  store(out_row, out_column + COLUMN_LANES, group.z, s0_1);
  store(out_row + ROW_LANES, out_column, group.z, s1_0);
  store(out_row + ROW_LANES, out_column + COLUMN_LANES, group.z, s1_1);
  store(out_row + 2u * ROW_LANES, out_column, group.z, s2_0);
  store(out_row + 2u * ROW_LANES, out_column + COLUMN_LANES, group.z, s2_1);
  store(out_row + 3u * ROW_LANES, out_column, group.z, s3_0);
  store(out_row + 3u * ROW_LANES, out_column + COLUMN_LANES, group.z, s3_1);
  store(out_row + 4u * ROW_LANES, out_column, group.z, s4_0);
  store(out_row + 4u * ROW_LANES, out_column + COLUMN_LANES, group.z, s4_1);
  store(out_row + 5u * ROW_LANES, out_column, group.z, s5_0);
  store(out_row + 5u * ROW_LANES, out_column + COLUMN_LANES, group.z, s5_1);
  store(out_row + 6u * ROW_LANES, out_column, group.z, s6_0);
  store(out_row + 6u * ROW_LANES, out_column + COLUMN_LANES, group.z, s6_1);
  store(out_row + 7u * ROW_LANES, out_column, group.z, s7_0);
  store(out_row + 7u * ROW_LANES, out_column + COLUMN_LANES, group.z, s7_1);
}
