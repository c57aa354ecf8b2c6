// proxy_coefficients: the two matrices that turn residuals and patches into the
// gradient of the mean loss by the proxies (paper Eq. 8)
//
// weights  [B, stride]  w; then −2 w / B
// slopes   [B, stride]  products of residuals and proxies; then
//                       −2 w (r · p − r · m̂) / (τ d B)
// inverses [B, stride]  1 / d
// products [B]          r · m̂
//
// The grid: x over proxies, y over patches.

@group(0) @binding(0) var<storage, read> inverses: array<f32>;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> slopes: array<f32>;

struct Params {
  stride: u32,
  sharpness: f32, // 1 / τ
  share: f32, // 1 / B
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let j = group.x * 64u + lane;
  if (j >= params.stride) {
    return;
  }
  let at = group.y * params.stride + j;
  let weight = -2.0 * params.share * weights[at];
  let slope = slopes[at] - products[group.y];
  weights[at] = weight;
  slopes[at] = weight * params.sharpness * inverses[at] * slope;
}
