// slice: every STEPth channel, row and column from a start on (ONNX Slice);
// negative steps go backwards.
//
// x [N, H, W, 4·C4], y [N, OH, OW, 4·O4]; scalars, because channels move by
// less than 4. y's padding channels become zero.
// The grid: x over channels, y and z over output pixels

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

struct Params {
  width: u32,
  pixels: u32, // H · W
  out_width: u32,
  out_pixels: u32, // OH · OW
  all_pixels: u32, // N · OH · OW
  x_channels: u32, // 4·C4
  y_channels: u32, // 4·O4
  count: u32, // channels of y, without padding
  start_channel: i32,
  start_row: i32,
  start_column: i32,
  step_channel: i32,
  step_row: i32,
  step_column: i32,
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.y_channels || pixel >= params.all_pixels) {
    return;
  }
  var v = 0.0;
  if (channel < params.count) {
    let image = pixel / params.out_pixels;
    let place = pixel % params.out_pixels;
    let row = params.start_row + i32(place / params.out_width) * params.step_row;
    let column = params.start_column + i32(place % params.out_width) * params.step_column;
    let source = params.start_channel + i32(channel) * params.step_channel;
    let origin = image * params.pixels + u32(row) * params.width + u32(column);
    v = x[origin * params.x_channels + u32(source)];
  }
  y[pixel * params.y_channels + channel] = v;
}
