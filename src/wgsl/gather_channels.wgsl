// gather_channels: y[p, c] = x[p, picks[c]]: channels in any order, some perhaps
// several times (ONNX Gather on the channel axis).
//
// x [P, 4·C4], picks [count] whole numbers, y [P, 4·O4]; y's padding channels
// become zero. The grid: x over channels, y and z over pixels

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> picks: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

struct Params {
  pixels: u32,
  x_channels: u32, // 4·C4
  y_channels: u32, // 4·O4
  count: u32, // channels of y, without padding
}
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.y_channels || pixel >= params.pixels) {
    return;
  }
  var v = 0.0;
  if (channel < params.count) {
    v = x[pixel * params.x_channels + u32(picks[channel])];
  }
  y[pixel * params.y_channels + channel] = v;
}
