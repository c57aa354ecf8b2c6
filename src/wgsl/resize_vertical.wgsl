// resize_vertical: the second pass of an antialiased resize with Pillow's
// integer arithmetic, cropped, looked up in a table of 256 floats a channel.
// One tap of weight 2^22 copies.
//
// x      [.., stride]          RGBA8, one word a pixel
// taps   [1 + tap_count, rows] first input row, then the weights
// table  [256]                 float of every level of red, green and blue
// y      [N, rows, columns]    float RGB and a channel that table[..].w fills

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> taps: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  rows: u32,
  columns: u32,
  stride: u32, // pixels of an input row
  first_column: u32, // input column of the first output column
  tap_count: u32,
  image: u32, // n of y
}
@group(0) @binding(4) var<uniform> params: Params;

fn color(word: u32) -> vec3i {
  return vec3i(vec3u(word, word >> 8u, word >> 16u) & vec3u(255u));
}

@compute @workgroup_size(32, 2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let row = id.y;
  if (column >= params.columns || row >= params.rows) {
    return;
  }
  var at = u32(taps[row]) * params.stride + params.first_column + column;
  var sum = vec3i(2097152); // 2^21
  var tap = params.rows + row;
  for (var k = 0u; k < params.tap_count; k++) {
    sum += color(x[at]) * taps[tap];
    tap += params.rows;
    at += params.stride;
  }
  let level = vec3u(clamp(sum >> vec3u(22u), vec3i(), vec3i(255)));
  let to = (params.image * params.rows + row) * params.columns + column;
  y[to] = vec4f(table[level.r].r, table[level.g].g, table[level.b].b, table[0].a);
}
