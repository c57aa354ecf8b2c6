// Tile through workgroup memory, for GPUs; a part before this one says how large.
//
// The lanes load 4 << DEPTH_BITS input channels of the tile's pixels and their
// weights, then each computes 8 rows × 2 vec4 columns in named registers. Taps
// and channels are one running index, so that a 3-channel stem wastes no more
// than the last step. `splits` workgroups may share that index; each then writes
// a sum of its own.
//# Written out for a lane's 8 rows.

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

  //#for q 0 8
  var s{q}_0 = vec4f();
  var s{q}_1 = vec4f();
  //#end
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
      //#for q 2 8
      let x{q} = x_tile[x_at + {q}u * ROW_STRIDE];
      s{q}_0 = multiply_add(s{q}_0, x{q}, w0_0, w1_0, w2_0, w3_0);
      s{q}_1 = multiply_add(s{q}_1, x{q}, w0_1, w1_1, w2_1, w3_1);
      //#end
    }
    workgroupBarrier();
  }

  let out_row = row + lane_row;
  let out_column = column + lane_column;
  store(out_row, out_column, group.z, s0_0);
  store(out_row, out_column + COLUMN_LANES, group.z, s0_1);
  store(out_row + ROW_LANES, out_column, group.z, s1_0);
  store(out_row + ROW_LANES, out_column + COLUMN_LANES, group.z, s1_1);
  //#for q 2 8
  store(out_row + {q}u * ROW_LANES, out_column, group.z, s{q}_0);
  store(out_row + {q}u * ROW_LANES, out_column + COLUMN_LANES, group.z, s{q}_1);
  //#end
}
