// Weights in float32: a vec4f holds 4 output channels of one input channel.
@group(0) @binding(1) var<storage, read> w: array<vec4f>;

fn load_w(at: u32) -> vec4f {
  return w[at];
}

