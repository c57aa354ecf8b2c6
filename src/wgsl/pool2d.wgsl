// pool2d: maximum or average over a window, with padding that never wins a
// maximum (ONNX MaxPool) and counts in an average only when COUNT_PADDING
// (AveragePool, count_include_pad).
//
// x [N, H, W, C4], y [N, OH, OW, C4]; the grid: x over channels, y and z over
// output pixels

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

struct Params {
  channels: u32, // C4
  out_pixels: u32, // N · OH · OW
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,

  // window
  kernel_height: u32,
  kernel_width: u32,
  stride_y: u32,
  stride_x: u32,
  dilation_y: u32,
  dilation_x: u32,
  pad_top: u32,
  pad_left: u32,
  pad_bottom: u32,
  pad_right: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

override AVERAGE: bool = false;
override COUNT_PADDING: bool = false;

const LOWEST = -3.4028234663852886e38;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.channels || pixel >= params.out_pixels) {
    return;
  }
  let line = pixel / params.out_width;
  let image = line / params.out_height;
  let top = i32((line - image * params.out_height) * params.stride_y) - i32(params.pad_top);
  let left = i32((pixel - line * params.out_width) * params.stride_x) - i32(params.pad_left);
  let base = image * params.height * params.width * params.channels + channel;
  let bottom_edge = i32(params.height + params.pad_bottom);
  let right_edge = i32(params.width + params.pad_right);

  var best = vec4f(LOWEST);
  var sum = vec4f();
  var count = 0.0;
  for (var ky = 0u; ky < params.kernel_height; ky++) {
    let iy = top + i32(ky * params.dilation_y);
    for (var kx = 0u; kx < params.kernel_width; kx++) {
      let ix = left + i32(kx * params.dilation_x);
      let inside = u32(iy) < params.height && u32(ix) < params.width;
      if (inside) {
        let v = x[base + (u32(iy) * params.width + u32(ix)) * params.channels];
        best = max(best, v);
        sum += v;
      }
      let counted = inside || (COUNT_PADDING && iy < bottom_edge && ix < right_edge);
      count += select(0.0, 1.0, counted);
    }
  }
  y[pixel * params.channels + channel] = select(best, sum / count, AVERAGE);
}
