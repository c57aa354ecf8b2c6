// proxy_residual: what the weighted proxies leave of each patch, r = m − m̂, its
// squared norm (the loss of paper Eq. 8) and its product with m̂
//
// patches   [B, D]  m
// residuals [B, D]  m̂; then r
// losses    [..]    |r|² of patch b at first_loss + b
// products  [B]     r · m̂
//
// One workgroup is one patch.

@group(0) @binding(0) var<storage, read> patches: array<f32>;
@group(0) @binding(1) var<storage, read_write> residuals: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

struct Params {
  dim: u32,
  first_loss: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> parts: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.x * params.dim;
  var sums = vec2f();
  for (var i = lane; i < params.dim; i += 64u) {
    let near = residuals[first + i];
    let rest = patches[first + i] - near;
    residuals[first + i] = rest;
    sums += vec2f(rest * rest, rest * near);
  }
  parts[lane] = sums;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      sums += parts[i];
    }
    losses[params.first_loss + group.x] = sums.x;
    products[group.x] = sums.y;
  }
}
