// proxy_weights: softmin weights of the proxies for each patch (paper Eq. 8),
// w[b, j] = exp(−d[b, j] / τ) / Σ_k exp(−d[b, k] / τ), d the Euclidean distance
//
// patch_norms [B], proxy_norms [K]  squared norms
// weights     [B, stride]           products of patches and proxies; then w
// inverses    [B, stride]           1 / d; 0 where d is rounding noise
//
// Columns from K to `stride` become 0. One workgroup is one patch.

@group(0) @binding(0) var<storage, read> patch_norms: array<f32>;
@group(0) @binding(1) var<storage, read> proxy_norms: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverses: array<f32>;

struct Params {
  proxies: u32,
  stride: u32,
  sharpness: f32, // 1 / τ
}
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.x * params.stride;
  let norm = patch_norms[group.x];
  var least = 3e38;
  for (var j = lane; j < params.proxies; j += 64u) {
    let norms = norm + proxy_norms[j];
    let squared = norms - 2.0 * weights[first + j];
    let sure = squared > 1e-6 * norms;
    let distance = select(0.0, sqrt(squared), sure);
    inverses[first + j] = select(0.0, inverseSqrt(squared), sure);
    weights[first + j] = distance;
    least = min(least, distance);
  }
  parts[lane] = least;
  workgroupBarrier();
  for (var i = 0u; i < 64u; i++) {
    least = min(least, parts[i]);
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var j = lane; j < params.proxies; j += 64u) {
    let weight = exp((least - weights[first + j]) * params.sharpness);
    weights[first + j] = weight;
    sum += weight;
  }
  parts[lane] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += parts[i];
  }
  for (var j = lane; j < params.stride; j += 64u) {
    if (j < params.proxies) {
      weights[first + j] /= total;
    } else {
      weights[first + j] = 0.0;
      inverses[first + j] = 0.0;
    }
  }
}
