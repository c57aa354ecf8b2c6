// elementwise: y = activate(x ∘ b), where ∘ is OPERATION and b is a tensor of
// x's shape, one vector per channel or per image and channel, or anything else
// that broadcasts over x: a step of b for each step of x, 0 where it stays.
//
// x, y [N, P, C4]   P pixels an image
// b    [N, P, C4] | [C4] | [N, C4] | strided
// c    [C4]         the shift of an affine map; unused otherwise

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read> c: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  channels: u32, // C4
  pixels: u32, // N · P
  pixels_per_image: u32,
  act_low: f32,
  act_high: f32,
  real_channels: u32, // the padding lanes beyond them stay zero

  // steps of a strided b, in vec4s
  width: u32,
  b_image: u32,
  b_row: u32,
  b_column: u32,
  b_channel: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

// 0 none, 1 add, 2 subtract, 3 multiply, 4 divide, 5 affine (x · b + c), 6 b - x, 7 b / x, 8 x where x >= 0, else x · b
override OPERATION: u32 = 0u;
// 0 same shape, 1 per channel, 2 per image and channel, 3 strided
override BROADCAST: u32 = 0u;
// Whether b has one channel, for all of x's
override ONE_CHANNEL: bool = false;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let pixel = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.channels || pixel >= params.pixels) {
    return;
  }
  let at = pixel * params.channels + channel;
  var other = at;
  if (BROADCAST == 1u) {
    other = channel;
  } else if (BROADCAST == 2u) {
    other = pixel / params.pixels_per_image * params.channels + channel;
  } else if (BROADCAST == 3u) {
    let image = pixel / params.pixels_per_image;
    let place = pixel % params.pixels_per_image;
    other = image * params.b_image + place / params.width * params.b_row
      + place % params.width * params.b_column + channel * params.b_channel;
  }
  var v = x[at];
  var o = b[other];
  if (ONE_CHANNEL) {
    o = vec4f(o.x);
  }
  switch (OPERATION) {
    case 1u: { v += o; }
    case 2u: { v -= o; }
    case 3u: { v *= o; }
    case 4u: { v /= o; }
    case 5u: { v = v * o + c[channel]; }
    case 6u: { v = o - v; }
    case 7u: { v = o / v; }
    case 8u: { v = select(v, v * o, v < vec4f()); }
    default: {}
  }
  v = activate(v, params.act_low, params.act_high);
  // 0 / 0 in a padding lane would spread through the next convolution.
  let real = vec4u(channel * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.real_channels);
  y[at] = select(vec4f(), v, real);
}
