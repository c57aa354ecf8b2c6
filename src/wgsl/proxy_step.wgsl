// proxy_step: one step of Adam (Kingma and Ba 2015) for the proxies
//
// gradients  [K, D/4]  without the part along the proxies themselves
// sums       [K, 4]    Σ of the slopes of each proxy: that part, negated
// proxies    [K, D/4]  updated
// transposed [D, stride] the same, transposed
// moments    [K, D/4, 2] first and second moments, zero before the first step
//
// One lane is 4 dimensions of one proxy.

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> proxies: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> transposed: array<f32>;
@group(0) @binding(4) var<storage, read_write> moments: array<vec4f>;

struct Params {
  total: u32, // K · D/4
  dim4: u32,
  stride: u32,
  rate: f32, // 0 only transposes
  correction1: f32, // 1 / (1 − β₁ᵗ)
  correction2: f32, // 1 / (1 − β₂ᵗ)
}
@group(0) @binding(5) var<uniform> params: Params;

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.total) {
    return;
  }
  let j = i / params.dim4;
  let d = (i - j * params.dim4) * 4u;
  var proxy = proxies[i];
  if (params.rate > 0.0) {
    let gradient = gradients[i] - sums[j].x * proxy;
    let first = BETA1 * moments[2u * i] + (1.0 - BETA1) * gradient;
    let second = BETA2 * moments[2u * i + 1u] +
      (1.0 - BETA2) * gradient * gradient;
    moments[2u * i] = first;
    moments[2u * i + 1u] = second;
    proxy -= params.rate * params.correction1 * first /
      (sqrt(params.correction2 * second) + EPSILON);
    proxies[i] = proxy;
  } else {
    moments[2u * i] = vec4f();
    moments[2u * i + 1u] = vec4f();
  }
  transposed[d * params.stride + j] = proxy.x;
  transposed[(d + 1u) * params.stride + j] = proxy.y;
  transposed[(d + 2u) * params.stride + j] = proxy.z;
  transposed[(d + 3u) * params.stride + j] = proxy.w;
}
