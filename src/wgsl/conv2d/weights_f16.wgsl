// Weights in float16, packed in pairs, so that no adapter feature is needed: a
// vec2u holds 4 output channels of one input channel.
@group(0) @binding(1) var<storage, read> w: array<vec2u>;

fn load_w(at: u32) -> vec4f {
  let packed = w[at];
  return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

