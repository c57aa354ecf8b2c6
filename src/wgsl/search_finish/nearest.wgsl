// search_nearest: k rows of each query that are about the nearest
//
// queries, bank, distances, indices: see measure below
// query_norms   [Q]       |q|² of the queries that search_leading compared
// images        [padded]  image of each row, read when EXCLUDE
// query_images  [Q]       image whose rows a query must not find
// least         [Q, G]    from search_leading; FAR where a group was measured
//
// One workgroup is one query. It measures the `most` groups with the least lower
// bounds, or fewer where no bound is below the k-th distance.

@group(0) @binding(0) var<storage, read> queries: array<f32>;
@group(0) @binding(1) var<storage, read> query_norms: array<f32>;
@group(0) @binding(2) var<storage, read> bank: array<f32>;
@group(0) @binding(3) var<storage, read> images: array<u32>;
@group(0) @binding(4) var<storage, read> query_images: array<u32>;
@group(0) @binding(5) var<storage, read_write> least: array<f32>;
@group(0) @binding(6) var<storage, read_write> distances: array<f32>;
@group(0) @binding(7) var<storage, read_write> indices: array<u32>;

struct Params {
  queries: u32,
  dim: u32,
  rows: u32,
  first: u32, // first row of the dispatch within `bank`
  base: u32, // index of that row in the whole bank
  groups: u32,
  k: u32,
  most: u32, // groups to measure
  start: u32, // 1 in the first dispatch: distances and indices are undefined
  slack: f32, // relative rounding error of the bounds
  radius: f32, // what a distance of compared rows may be too large by
  shrink: f32, // and the square of what it may be too large by, as a factor
}
@group(0) @binding(8) var<uniform> params: Params;

override EXCLUDE: bool = false;

var<workgroup> values: array<f32, LANES>;
var<workgroup> places: array<u32, LANES>;
var<workgroup> chosen: u32;

// The squared distance that is sure when compared rows are `distance` apart.
fn sure(distance: f32) -> f32 {
  let left = max(distance - params.radius, 0.0);
  return left * left * params.shrink;
}

// A lower bound of the squared distance from the least score of a group.
fn bound(score: f32, norm: f32) -> f32 {
  let squared = max(score + norm, 0.0);
  let reach = sqrt(norm) + sqrt(squared);
  return sure(sqrt(max(squared - params.slack * (norm + reach * reach), 0.0)));
}

fn left_out(row: u32, query: u32) -> bool {
  if (!EXCLUDE) {
    return false;
  }
  return images[row] == query_images[query];
}

fn visit(group: u32, query: u32, lane: u32) {
  if (lane < 8u) {
    let row = group * 8u + lane;
    let none = row >= params.rows || left_out(row, query);
    measured[lane] = select(row, NONE, none);
  }
  workgroupBarrier();
  measure(query, lane);
}

fn measure_nearest(query: u32, lane: u32) {
  let norm = query_norms[query];
  let first_least = query * params.groups;
  let k = params.k;
  for (var n = 0u; n < params.most; n++) {
    //#use least_group
    visit(group, query, lane);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = wid.y * grid.x + wid.x;
  if (query >= params.queries) {
    return;
  }
  load_top(query, lane);
  workgroupBarrier();
  measure_nearest(query, lane);
  store_top(query, lane);
}
