// search_narrow: which rows may still be among a query's k nearest
//
// norms        [panels, 64]  |b|² of the compared dimensions, FAR past the end
// images       [panels, 64]  image of each row, read when EXCLUDE
// query_images [Q]           image whose rows a query must not find
// query_norms  [2, padded]   |q|² of the dimensions that search_leading compared,
//                            then of those compared here
// distances    [Q, k]        the k-th is not less than the true one
// near         [Q, G]        in: the bits of search_leading' `least`; out: which of
//                            the 8 rows of a group may be near (the low 8 bits) and
//                            a lower bound of their squared distances (the rest)
//
// One workgroup takes 16 queries and SEGMENT groups. It lists the groups that are
// not ruled out for all of the queries and compares these alone.
//# Written out for 16 queries.

@group(0) @binding(2) var<storage, read> norms: array<vec4f>;
@group(0) @binding(3) var<storage, read> images: array<vec4u>;
@group(0) @binding(4) var<storage, read> query_images: array<u32>;
@group(0) @binding(5) var<storage, read> query_norms: array<f32>;
@group(0) @binding(6) var<storage, read> distances: array<f32>;
@group(0) @binding(7) var<storage, read_write> near: array<u32>;

struct Params {
  queries: u32,
  dim4: u32,
  stride4: u32,
  groups: u32,
  k: u32,
  padded: u32, // queries with padding
  slack: f32, // relative rounding error of the bounds
  radius: f32, // what a distance of compared rows may be too large by
  shrink: f32, // and the square of what it may be too large by, as a factor
}
@group(0) @binding(8) var<uniform> params: Params;

override EXCLUDE: bool = false;

const FAR = 3e38;
const SEGMENT = 512u;
// A group without a row to find, or that search_nearest has measured.
const MEASURED = 0x7f000000u;

var<workgroup> listed: array<u32, SEGMENT>;
var<workgroup> listed_count: atomic<u32>;
var<workgroup> size: u32;
var<workgroup> limits: array<f32, 16>;
var<workgroup> scores: array<f32, 16>;

// The largest computed square of a compared distance at which the true distance
// may be within the square root of `squared`. With n = |q|² and s the square, the
// rounding of s is less than slack (n + (√n + √s)²) ≤ slack (3 n + 2 s).
fn limit_of(squared: f32, norm: f32) -> f32 {
  let reach = sqrt(squared / params.shrink) + params.radius;
  return (reach * reach + 3.0 * params.slack * norm) / (1.0 - 2.0 * params.slack);
}

// A lower bound of the squared distance from the square of a compared one.
fn bound(squared: f32, norm: f32) -> f32 {
  let reach = sqrt(norm) + sqrt(squared);
  let sure = max(squared - params.slack * (norm + reach * reach), 0.0);
  let left = max(sqrt(sure) - params.radius, 0.0);
  return left * left * params.shrink;
}

// See search_groups.
fn left_out(images: vec4u, own: vec4u) -> vec4<bool> {
  return (images ^ own) - 1u >= vec4u(0x80000000u);
}

fn images_of(column: u32) -> vec4u {
  if (EXCLUDE) {
    return images[column];
  }
  return vec4u();
}

struct Rows {
  norms0: vec4f,
  norms1: vec4f,
  images0: vec4u,
  images1: vec4u,
}

fn store(first: u32, i: u32, group: u32, rows: Rows, s0: vec4f, s1: vec4f) {
  let query = first + i;
  if (query >= params.queries) {
    return;
  }
  let at = query * params.groups + group;
  if (near[at] == MEASURED) {
    return;
  }
  let norm = query_norms[params.padded + query];
  var d0 = rows.norms0 - 2.0 * s0;
  var d1 = rows.norms1 - 2.0 * s1;
  if (EXCLUDE) {
    let own = vec4u(query_images[query]);
    d0 = select(d0, vec4f(FAR), left_out(rows.images0, own));
    d1 = select(d1, vec4f(FAR), left_out(rows.images1, own));
  }
  let limit = min(limits[i] - norm, FAR * 0.5);
  let bits0 = select(vec4u(), vec4u(1u, 2u, 4u, 8u), d0 <= vec4f(limit));
  let bits1 = select(vec4u(), vec4u(16u, 32u, 64u, 128u), d1 <= vec4f(limit));
  let bits = bits0 | bits1;
  let d = min(d0, d1);
  let least = max(min(min(d.x, d.y), min(d.z, d.w)) + norm, 0.0);
  near[at] =
    (bitcast<u32>(bound(least, norm)) & 0xffffff00u) | bits.x | bits.y | bits.z | bits.w;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = wid.x * 16u;
  for (var i = lane; i < 16u; i += LANES) {
    let q = min(query + i, params.queries - 1u);
    let squared = distances[q * params.k + params.k - 1u];
    let norm = query_norms[q];
    limits[i] = limit_of(squared, query_norms[params.padded + q]);
    scores[i] = min(limit_of(squared, norm) - norm, FAR * 0.5);
  }
  workgroupBarrier();
  let used = min(16u, params.queries - query);
  let end = min((wid.y + 1u) * SEGMENT, params.groups);
  for (var g = wid.y * SEGMENT + lane; g < end; g += LANES) {
    var open = false;
    for (var i = 0u; i < used; i++) {
      let at = (query + i) * params.groups + g;
      let score = bitcast<f32>(near[at]);
      open = open || score <= scores[i];
      near[at] = select(0u, MEASURED, score >= FAR * 0.5);
    }
    if (open) {
      listed[atomicAdd(&listed_count, 1u)] = g;
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    size = atomicLoad(&listed_count);
  }
  let count = workgroupUniformLoad(&size);
  for (var i = 0u; i < count; i += LANES) {
    let g = listed[min(i + lane, count - 1u)];
    let t = tile_of(query, g, lane);
    let rows = Rows(norms[2u * g], norms[2u * g + 1u], images_of(2u * g), images_of(2u * g + 1u));
    //#for q 0 16
    store(query, {q}u, g, rows, t.s{q}_0, t.s{q}_1);
    //#end
  }
}
