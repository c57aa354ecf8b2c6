// Activations fused into a kernel's last step; a part joined before `main`.
// 0 none, 1 ReLU, 2 clip, 3 leaky ReLU, 4 sigmoid, 5 hard sigmoid, 6 hard swish, 7 SiLU,
// 8 GELU, 9 quick GELU
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
    case 8u: { return 0.5 * v * (1.0 + error_function(v * 0.70710678118)); }
    case 9u: { return v / (1.0 + exp(-1.702 * v)); }
    default: { return v; }
  }
}

// The error function within 1e-7: near 0 a polynomial, farther away one minus the
// exponential of another. From 4 on it is 1 in float32.
fn error_function(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(4.0));
  let s = t * t;
  var far = (-1.72853470e-5 * t + 3.83197126e-4) * s + (-3.88396438e-3 * t + 2.42546219e-2);
  far = far * t - 1.06777877e-1;
  far = far * t - 6.34846687e-1;
  far = far * t - 1.28717512e-1;
  far = 1.0 - exp(far * t - t);
  var near = -5.96761703e-4 * s + 4.99119423e-3;
  near = near * s - 2.67681349e-2;
  near = near * s + 1.12819925e-1;
  near = near * s - 3.76125336e-1;
  near = near * s + 1.28379166e-1;
  return sign(x) * select(near * t + t, far, t > vec4f(0.927734375));
}
