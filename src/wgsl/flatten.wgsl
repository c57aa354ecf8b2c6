// flatten: y[n, c · P + p] = x[n, p, c]: the order in which ONNX Flatten and
// Reshape see an NCHW tensor.
//
// x [N, P, 4·C4], y [N, stride] with zeros behind the C · P elements.
// One lane an element of y, one grid row (z) an image

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

struct Params {
  pixels: u32, // P
  channels: u32, // C
  x_channels: u32, // 4·C4
  stride: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let element = (group.y * groups.x + group.x) * 64u + lane;
  if (element >= params.stride) {
    return;
  }
  let channel = element / params.pixels;
  let pixel = element - channel * params.pixels;
  var v = 0.0;
  if (channel < params.channels) {
    v = x[(group.z * params.pixels + pixel) * params.x_channels + channel];
  }
  y[group.z * params.stride + element] = v;
}
