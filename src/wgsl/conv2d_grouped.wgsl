// conv2d_grouped: convolution whose output channels see only the input channels
// of their own group; one lane computes 4 output channels of one pixel.
//
// x        [N, H, W, 4·C4]       input
// w        [KH, KW, C / G, O4]   a vec4f holds 4 output channels
// bias     [O4]
// residual [N, OH, OW, O4]       read when RESIDUAL
// y        [N, OH, OW, O4]
//
// It takes any number of groups; with one group it is the plainest correct
// convolution, the oracle of the tiled ones. The grid: x over output channels,
// y and z over output pixels

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

struct Params {
  columns: u32, // O4
  out_pixels: u32, // N · OH · OW
  group_inputs: u32, // C / G
  group_outputs: u32, // O / G
  x_channels: u32, // 4·C4
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,

  // window
  kernel_height: u32,
  kernel_width: u32,
  stride_y: u32,
  stride_x: u32,
  pad_top: u32,
  pad_left: u32,
  dilation_y: u32,
  dilation_x: u32,

  // see activation.wgsl
  act_low: f32,
  act_high: f32,
}
@group(0) @binding(5) var<uniform> params: Params;

override RESIDUAL: bool = false;
// 0: the 4 channels of a lane may lie in different groups
// 1: they share their group (O / G is a multiple of 4)
override GROUPING: u32 = 0u;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let column = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (column >= params.columns || pixel >= params.out_pixels) {
    return;
  }
  let line = pixel / params.out_width;
  let image = line / params.out_height;
  let top = i32((line - image * params.out_height) * params.stride_y) - i32(params.pad_top);
  let left = i32((pixel - line * params.out_width) * params.stride_x) - i32(params.pad_left);
  let image_base = image * params.height * params.width;
  let outputs = vec4u(column * 4u) + vec4u(0u, 1u, 2u, 3u);
  let first = min(
    outputs / params.group_outputs * params.group_inputs,
    vec4u(params.x_channels - params.group_inputs),
  );

  var sum = bias[column];
  var at = column;
  for (var ky = 0u; ky < params.kernel_height; ky++) {
    let iy = u32(top + i32(ky * params.dilation_y));
    for (var kx = 0u; kx < params.kernel_width; kx++) {
      let ix = u32(left + i32(kx * params.dilation_x));
      if (iy < params.height && ix < params.width) {
        let base = (image_base + iy * params.width + ix) * params.x_channels;
        for (var c = 0u; c < params.group_inputs; c++) {
          let weight = w[at + c * params.columns];
          if (GROUPING == 1u) {
            sum += x[base + first.x + c] * weight;
          } else {
            let i = base + c;
            sum += vec4f(x[i + first.x], x[i + first.y], x[i + first.z], x[i + first.w]) * weight;
          }
        }
      }
      at += params.group_inputs * params.columns;
    }
  }
  let to = pixel * params.columns + column;
  if (RESIDUAL) {
    sum += residual[to];
  }
  y[to] = activate(sum, params.act_low, params.act_high);
}
