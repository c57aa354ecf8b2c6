// conv2d: y[m, o] = activate(Σ_ky,kx,c x[pixel(m, ky, kx), c] · w[ky, kx, c, o] + bias[o] + residual[m, o])
// or what else epilogue.wgsl makes of the sum
//
// x        [N, H, W, C4]      input, NHWC, channels padded to a multiple of 4
// w        [KH, KW, C, O4]    weights, float32 or float16
// bias     [O4]               per output channel
// residual [N, OH, OW, O4]    read when RESIDUAL, see epilogue.wgsl
// y        [N, OH, OW, O4]
//
// A matrix product is the case KH = KW = 1, H = 1, W = OW = M. `batches`
// independent products of one shape (Winograd) run along the grid's z.
// Joined from activation.wgsl, epilogue.wgsl, a weights part, this part and a tile
// part with `main`.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

struct Params {
  // rows (output pixels) and vec4 columns (output channels / 4)
  rows: u32,
  columns: u32,

  // input: vec4 channels, vec4 from one pixel to the next, size
  channels: u32,
  pitch: u32,
  height: u32,
  width: u32,

  // output size
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

  // vec4 between consecutive products of a batch
  x_batch: u32,
  w_batch: u32,
  y_batch: u32,

  // workgroups that share the sums of one product
  splits: u32,

  // see activation.wgsl
  act_low: f32,
  act_high: f32,

  // see epilogue.wgsl
  turn_rows: u32,
  turn_columns: u32,
  turn_limit: u32,
}
@group(0) @binding(5) var<uniform> params: Params;

// Where the window of one output pixel starts.
struct Pixel {
  image: u32, // first vec4 of its image
  top: i32,
  left: i32,
}

fn pixel_of(row: u32) -> Pixel {
  let m = min(row, params.rows - 1u);
  let line = m / params.out_width;
  let image = line / params.out_height;
  let out_x = m - line * params.out_width;
  let out_y = line - image * params.out_height;
  return Pixel(
    image * params.height * params.width * params.pitch,
    i32(out_y * params.stride_y) - i32(params.pad_top),
    i32(out_x * params.stride_x) - i32(params.pad_left),
  );
}

// First vec4 of the pixel under tap (ky, kx), or OUTSIDE.
const OUTSIDE = 0xffffffffu;
fn tap_of(pixel: Pixel, ky: u32, kx: u32) -> u32 {
  let iy = u32(pixel.top + i32(ky * params.dilation_y));
  let ix = u32(pixel.left + i32(kx * params.dilation_x));
  let inside = iy < params.height && ix < params.width;
  return select(
    OUTSIDE,
    pixel.image + (iy * params.width + ix) * params.pitch,
    inside,
  );
}

// Four channels under a tap, zero outside the image.
fn load_x(tap: u32, channel: u32) -> vec4f {
  return select(x[tap + channel], vec4f(), tap == OUTSIDE);
}

fn multiply_add(sum: vec4f, a: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return sum + a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
}

fn store(row: u32, column: u32, batch: u32, sum: vec4f) {
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  let at = batch * params.y_batch + row * params.columns + column;
  y[at] = finish(sum, row, column, at);
}
