// Activations fused into a kernel's last step; a part joined before `main`.
// 0 none, 1 ReLU, 2 clip, 3 leaky ReLU, 4 sigmoid, 5 hard sigmoid, 6 hard swish, 7 SiLU
override ACTIVATION: u32 = 0u;

// max and clamp may make a number of a NaN: it stays what it is, by its bits
fn activate(v: vec4f, low: f32, high: f32) -> vec4f {
  let is_nan = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  return select(activated(v, low, high), v, is_nan);
}

fn activated(v: vec4f, low: f32, high: f32) -> vec4f {
  switch (ACTIVATION) {
    case 1u: { return max(v, vec4f()); }
    case 2u: { return clamp(v, vec4f(low), vec4f(high)); }
    case 3u: { return select(v, v * low, v < vec4f()); }
    case 4u: { return 1.0 / (1.0 + exp(-v)); }
    case 5u: { return clamp(v * low + high, vec4f(), vec4f(1.0)); }
    case 6u: { return v * clamp(v / 6.0 + 0.5, vec4f(), vec4f(1.0)); }
    case 7u: { return v / (1.0 + exp(-v)); }
    default: { return v; }
  }
}

