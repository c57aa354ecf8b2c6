// top_mean: the mean of the largest patch scores of every image.
//
// Scores are handled as bits: they are not negative, so that their bits are in
// their order, NaN last; no adapter promises to tell NaN from a number. The
// least score that counts is found bit by bit, the highest first.
//
// patch_scores [N, P] bits, scores [N] bits; one workgroup an image

@group(0) @binding(0) var<storage, read> patch_scores: array<u32>;
@group(0) @binding(1) var<storage, read_write> scores: array<u32>;

struct Params {
  images: u32,
  patches: u32, // P
  count: u32, // scores that count, 1 to P
}
@group(0) @binding(2) var<uniform> params: Params;

const NAN_BITS = 0x7fc00000u;
const INFINITE = 0x7f800000u;

var<workgroup> found: array<atomic<u32>, 32>;
var<workgroup> odd: atomic<u32>;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  let first = image * params.patches;
  let is_image = image < params.images;
  let end = select(0u, params.patches, is_image);
  var least = 0u;
  for (var i = 0u; i < 31u; i++) {
    let candidate = least | (0x40000000u >> i);
    var count = 0u;
    for (var p = lane; p < end; p += 64u) {
      count += select(0u, 1u, patch_scores[first + p] >= candidate);
    }
    atomicAdd(&found[i], count);
    workgroupBarrier();
    if (atomicLoad(&found[i]) >= params.count) {
      least = candidate;
    }
  }
  var sum = 0.0;
  var larger = 0u;
  for (var p = lane; p < end; p += 64u) {
    let bits = patch_scores[first + p];
    if (bits > least) {
      sum += bitcast<f32>(bits);
      larger++;
    }
    if (bits >= INFINITE) {
      atomicStore(&odd, 1u);
    }
  }
  sums[lane] = sum;
  atomicAdd(&found[31], larger);
  workgroupBarrier();
  if (lane != 0u || !is_image) {
    return;
  }
  for (var i = 1u; i < 64u; i++) {
    sum += sums[i];
  }
  let equal = params.count - atomicLoad(&found[31]);
  let mean = (sum + f32(equal) * bitcast<f32>(least)) / f32(params.count);
  let is_finite = atomicLoad(&odd) == 0u;
  scores[image] = select(NAN_BITS, bitcast<u32>(mean), is_finite);
}
