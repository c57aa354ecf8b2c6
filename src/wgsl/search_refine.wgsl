// search_refine: the k nearest rows of each query, exactly, by direct differences
//
// queries       [Q, D/4]      row-major
// query_norms   [Q]           |q|² of the shifted queries
// bank          [R, D/4]      row-major
// images        [panels, 64]  image of each row, read when EXCLUDE
// query_images  [Q]
// least         [Q, G]        from search_groups; used up
// distances     [Q, k]        squared distances so far, ascending; updated
// indices       [Q, k]        their rows, NONE where there are fewer than k
//
// One workgroup is one query. It takes the group with the least lower bound,
// measures its rows, and stops when no bound is below the k-th distance found.
// So the result is exact whatever the bounds are, as long as they are bounds.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> query_norms: array<f32>;
@group(0) @binding(2) var<storage, read> bank: array<vec4f>;
@group(0) @binding(3) var<storage, read> images: array<u32>;
@group(0) @binding(4) var<storage, read> query_images: array<u32>;
@group(0) @binding(5) var<storage, read_write> least: array<f32>;
@group(0) @binding(6) var<storage, read_write> distances: array<f32>;
@group(0) @binding(7) var<storage, read_write> indices: array<u32>;

struct Params {
  queries: u32,
  dim4: u32,
  rows: u32,
  first: u32, // first row of the dispatch within `bank`
  base: u32, // index of that row in the whole bank
  panels_per_group: u32,
  groups: u32,
  k: u32,
  start: u32, // 1 in the first dispatch: distances and indices are undefined
  slack: f32, // relative rounding error of the bounds
  radius: f32, // distance by which the bounded rows may differ from the bank
}
@group(0) @binding(8) var<uniform> params: Params;

override LANES: u32 = 64u;
override EXCLUDE: bool = false;

const FAR = 3e38;
const NONE = 0xffffffffu;
const MOST = 16u;

var<workgroup> values: array<f32, LANES>;
var<workgroup> places: array<u32, LANES>;
var<workgroup> top_distances: array<f32, MOST>;
var<workgroup> top_indices: array<u32, MOST>;
var<workgroup> chosen: u32;

//#use insertion

// A lower bound of the squared distance from the least score of a group.
fn bound(score: f32, norm: f32) -> f32 {
  let squared = max(score + norm, 0.0);
  let reach = sqrt(norm) + sqrt(squared);
  let sure = max(squared - params.slack * (norm + reach * reach), 0.0);
  let distance = max(sqrt(sure) - params.radius, 0.0);
  return distance * distance * 0.999999;
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
  let norm = query_norms[query];
  let first_least = query * params.groups;
  let own = select(NONE, query_images[select(0u, query, EXCLUDE)], EXCLUDE);
  let k = params.k;
  if (lane < k) {
    for (var i = lane; i < k; i += LANES) {
      top_distances[i] = select(distances[query * k + i], FAR, params.start == 1u);
      top_indices[i] = select(indices[query * k + i], NONE, params.start == 1u);
    }
  }
  let lanes_per_row = LANES / 8u;
  let part = lane % lanes_per_row;
  let row_of_group = lane / lanes_per_row;

  loop {
    //#use least_group
    let panel = (group >> 3u) * params.panels_per_group;
    for (var p = 0u; p < params.panels_per_group; p++) {
      let row = (panel + p) * 64u + (group & 7u) * 8u + row_of_group;
      var sum = vec4f();
      if (row < params.rows) {
        let b = (params.first + row) * params.dim4;
        let q = query * params.dim4;
        for (var i = part; i < params.dim4; i += lanes_per_row) {
          let difference = queries[q + i] - bank[b + i];
          sum = fma(difference, difference, sum);
        }
      }
      values[lane] = (sum.x + sum.y) + (sum.z + sum.w);
      workgroupBarrier();
      if (lane == 0u) {
        for (var r = 0u; r < 8u; r++) {
          let at = (panel + p) * 64u + (group & 7u) * 8u + r;
          if (at < params.rows) {
            var d = 0.0;
            for (var s = 0u; s < lanes_per_row; s++) {
              d += values[r * lanes_per_row + s];
            }
            if (!EXCLUDE || images[at] != own) {
              insert(d, params.base + at);
            }
          }
        }
      }
      workgroupBarrier();
    }
  }
  if (lane == 0u) {
    for (var i = 0u; i < k; i++) {
      distances[query * k + i] = top_distances[i];
      indices[query * k + i] = top_indices[i];
    }
  }
}
