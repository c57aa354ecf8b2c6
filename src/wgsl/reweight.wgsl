// reweight: an image score weighed by how the worst patch lies to the
// neighbourhood of its nearest bank row (paper Eq. 7).
//
// weight = 1 − exp(d₀) / Σ exp(dᵢ) over the b rows nearest to that row, itself
// among them; dᵢ are their distances to the patch, d₀ the least of them. The
// largest distance is subtracted first, so that nothing overflows.
//
// queries [rows, dim], worst [N] rows of queries, neighbours [N · b, dim] and
// their indices [N · b], NONE where fewer were found, scores [N], updated; one
// workgroup an image, four lanes a neighbour

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> worst: array<u32>;
@group(0) @binding(2) var<storage, read> neighbours: array<vec4f>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

struct Params {
  images: u32,
  columns: u32, // dim / 4
  neighbours: u32, // b, at most 16
}
@group(0) @binding(5) var<uniform> params: Params;

const NONE = 0xffffffffu;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  let neighbour = lane >> 2u;
  var sum = vec4f();
  if (image < params.images && neighbour < params.neighbours) {
    let q = worst[image] * params.columns;
    let n = (image * params.neighbours + neighbour) * params.columns;
    for (var i = lane & 3u; i < params.columns; i += 4u) {
      let difference = queries[q + i] - neighbours[n + i];
      sum = fma(difference, difference, sum);
    }
  }
  parts[lane] = (sum.x + sum.y) + (sum.z + sum.w);
  workgroupBarrier();
  if (lane != 0u || image >= params.images) {
    return;
  }
  let first = image * params.neighbours;
  var found = 0u;
  var least = 0.0;
  var most = 0.0;
  for (var i = 0u; i < params.neighbours; i++) {
    if (indices[first + i] != NONE) {
      let d = distance_to(i);
      least = select(min(least, d), d, found == 0u);
      most = max(most, d);
      found++;
    }
  }
  if (found < 2u) {
    return;
  }
  var total = 0.0;
  for (var i = 0u; i < params.neighbours; i++) {
    if (indices[first + i] != NONE) {
      total += exp(distance_to(i) - most);
    }
  }
  scores[image] *= 1.0 - exp(least - most) / total;
}

fn distance_to(neighbour: u32) -> f32 {
  let at = neighbour * 4u;
  return sqrt((parts[at] + parts[at + 1u]) + (parts[at + 2u] + parts[at + 3u]));
}
