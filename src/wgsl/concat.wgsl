// concat: copies the channels of x to channels [offset, offset + count) of y;
// one dispatch an input. The last input also zeroes y's padding: channels
// [offset + count, offset + covered).
//
// x [P, 4·C4], y [P, 4·O4]; scalars, because offsets need not be multiples of 4.
// The grid: x over channels, y and z over pixels

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

struct Params {
  pixels: u32,
  x_channels: u32, // 4·C4
  y_channels: u32, // 4·O4
  offset: u32,
  count: u32,
  covered: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.covered || pixel >= params.pixels) {
    return;
  }
  var v = 0.0;
  if (channel < params.count) {
    v = x[pixel * params.x_channels + channel];
  }
  y[pixel * params.y_channels + params.offset + channel] = v;
}
