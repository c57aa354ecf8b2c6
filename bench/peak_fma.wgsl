// peak_fma: multiply-adds in registers alone, to measure what the adapter computes
// at most. On llvmpipe three vec4 chains a lane stay in registers; four do not,
// and make half of the operations a second.
//
// y [lanes] keeps the sums alive. One turn of the loop is 16 multiply-adds of a
// vec4 on each of 3 chains: 384 floating-point operations a lane

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

struct Params {
  turns: u32,
  factor: f32,
  summand: f32,
}
@group(0) @binding(1) var<uniform> params: Params;

fn four(v: vec4f, factor: vec4f, summand: vec4f) -> vec4f {
  let a = v * factor + summand;
  let b = a * factor + summand;
  let c = b * factor + summand;
  return c * factor + summand;
}

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u,
) {
  let factor = vec4f(params.factor);
  let summand = vec4f(params.summand);
  var a = vec4f(f32(id.x));
  var b = a + 1.0;
  var c = a + 2.0;
  for (var i = 0u; i < params.turns; i++) {
    //#for turn 0 4
    a = four(a, factor, summand);
    b = four(b, factor, summand);
    c = four(c, factor, summand);
    //#end
  }
  y[id.x] = dot(a + b + c, vec4f(1.0));
}
