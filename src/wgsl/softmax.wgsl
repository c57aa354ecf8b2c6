// softmax: y[r, c] = exp(x[r, c] - max) / Σ exp(x[r, ·] - max) over the
// `channels` real channels of each row (ONNX Softmax on the channel axis).
//
// x, y [R, stride]; one lane a row, padding lanes become zero

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

struct Params {
  rows: u32,
  stride: u32,
  channels: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 8u + lane;
  if (row >= params.rows) {
    return;
  }
  let base = row * params.stride;
  var highest = x[base];
  for (var c = 1u; c < params.channels; c++) {
    highest = max(highest, x[base + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < params.channels; c++) {
    sum += exp(x[base + c] - highest);
  }
  for (var c = 0u; c < params.stride; c++) {
    var v = 0.0;
    if (c < params.channels) {
      v = exp(x[base + c] - highest) / sum;
    }
    y[base + c] = v;
  }
}
