// elementwise: y = activate(x ∘ b), where ∘ is OPERATION and b is a tensor of
// x's shape or one vector per channel or per image and channel.
//
// x, y [N, P, C4]   P pixels an image
// b    [N, P, C4] | [C4] | [N, C4]
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
}
@group(0) @binding(4) var<uniform> params: Params;

// 0 none, 1 add, 2 subtract, 3 multiply, 4 divide, 5 affine (x · b + c), 6 b - x, 7 b / x
override OPERATION: u32 = 0u;
// 0 same shape, 1 per channel, 2 per image and channel
override BROADCAST: u32 = 0u;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
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
  }
  var v = x[at];
  switch (OPERATION) {
    case 1u: { v += b[other]; }
    case 2u: { v -= b[other]; }
    case 3u: { v *= b[other]; }
    case 4u: { v /= b[other]; }
    case 5u: { v = v * b[channel] + c[channel]; }
    case 6u: { v = b[other] - v; }
    case 7u: { v = b[other] / v; }
    default: {}
  }
  v = activate(v, params.act_low, params.act_high);
  // 0 / 0 in a padding lane would spread through the next convolution.
  let real = vec4u(channel * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.real_channels);
  y[at] = select(vec4f(), v, real);
}
