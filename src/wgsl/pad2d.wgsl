// pad2d: adds pixels around each image (ONNX Pad on height and width); negative
// pads crop.
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
  pad_top: i32,
  pad_left: i32,
  value: f32,
  real_channels: u32, // the padding lanes beyond them stay zero
}
@group(0) @binding(2) var<uniform> params: Params;

// 0 constant, 1 reflect (edge pixel not repeated), 2 edge
override MODE: u32 = 0u;

fn source(position: i32, size: u32) -> i32 {
  let last = i32(size) - 1;
  if (MODE == 1u) {
    let reflected = abs(position);
    return select(reflected, 2 * last - reflected, reflected > last);
  }
  return clamp(position, 0, last);
}

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
  let iy = i32(line - image * params.out_height) - params.pad_top;
  let ix = i32(pixel - line * params.out_width) - params.pad_left;
  let inside = u32(iy) < params.height && u32(ix) < params.width;
  var v = vec4f();
  if (MODE == 0u && !inside) {
    let real = vec4u(channel * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.real_channels);
    v = select(vec4f(), vec4f(params.value), real);
  } else {
    let at = (image * params.height + u32(source(iy, params.height))) * params.width +
      u32(source(ix, params.width));
    v = x[at * params.channels + channel];
  }
  y[pixel * params.channels + channel] = v;
}
