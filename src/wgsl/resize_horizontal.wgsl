// resize_horizontal: the first pass of an antialiased resize with Pillow's
// integer arithmetic. Every output pixel is a weighted sum of neighbours in its
// row, in 22-bit fixed point, rounded to 8 bits.
//
// x     [rows, width]            RGBA8, one word a pixel
// taps  [1 + tap_count, columns] first input column, then the weights
// y     [.., columns]            RGBA8; rows first_row to first_row + rows
//
// One invocation makes 4 pixels of a column.

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> taps: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

struct Params {
  width: u32,
  rows: u32,
  columns: u32,
  tap_count: u32,
  first_column: u32, // what the taps' input columns are counted from
  first_row: u32,
}
@group(0) @binding(3) var<uniform> params: Params;

const HALF = vec3i(2097152); // 2^21

fn color(word: u32) -> vec3i {
  return vec3i(vec3u(word, word >> 8u, word >> 16u) & vec3u(255u));
}

fn pack(sum: vec3i) -> u32 {
  let c = vec3u(clamp(sum >> vec3u(22u), vec3i(), vec3i(255)));
  return c.x | (c.y << 8u) | (c.z << 16u) | 0xff000000u;
}

@compute @workgroup_size(32, 2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let row = id.y * 4u;
  if (column >= params.columns || row >= params.rows) {
    return;
  }
  let last = params.rows - 1u;
  let start = params.first_column + u32(taps[column]);
  var at0 = row * params.width + start;
  var at1 = min(row + 1u, last) * params.width + start;
  var at2 = min(row + 2u, last) * params.width + start;
  var at3 = min(row + 3u, last) * params.width + start;
  var sum0 = HALF;
  var sum1 = HALF;
  var sum2 = HALF;
  var sum3 = HALF;
  var tap = params.columns + column;
  for (var k = 0u; k < params.tap_count; k++) {
    let weight = taps[tap];
    sum0 += color(x[at0]) * weight;
    sum1 += color(x[at1]) * weight;
    sum2 += color(x[at2]) * weight;
    sum3 += color(x[at3]) * weight;
    tap += params.columns;
    at0++;
    at1++;
    at2++;
    at3++;
  }
  let to = (params.first_row + row) * params.columns + column;
  y[to] = pack(sum0);
  if (row + 1u < params.rows) {
    y[to + params.columns] = pack(sum1);
  }
  if (row + 2u < params.rows) {
    y[to + 2u * params.columns] = pack(sum2);
  }
  if (row + 3u < params.rows) {
    y[to + 3u * params.columns] = pack(sum3);
  }
}
