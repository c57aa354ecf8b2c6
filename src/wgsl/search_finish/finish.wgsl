// search_finish: the k nearest rows of each query, exactly, of those that may be
//
// queries, bank, distances, indices: see measure below; distances hold what was found so
// far
// near  [Q, G]  from search_narrow: which of the 8 rows of a group may be near (the
//               low 8 bits) and a lower bound of their squared distances (the rest)
//
// resume [Q]    the first group that was not looked at yet
//
// One workgroup is one query. WINDOW groups at a time, rows are listed, then
// measured 8 at a time, until `most` of these measurements are made: the rest is
// left to the next dispatch.

@group(0) @binding(0) var<storage, read> queries: array<f32>;
@group(0) @binding(1) var<storage, read> bank: array<f32>;
@group(0) @binding(2) var<storage, read> near: array<u32>;
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> resume: array<u32>;

struct Params {
  queries: u32,
  dim: u32,
  rows: u32,
  first: u32, // first row of the dispatch within `bank`
  base: u32, // index of that row in the whole bank
  groups: u32,
  k: u32,
  most: u32, // measurements
  fresh: u32, // 1: `resume` is undefined
  start: u32, // 1: distances and indices are undefined
}
@group(0) @binding(6) var<uniform> params: Params;

const WINDOW = 128u;

var<workgroup> listed: array<u32, WINDOW * 8u + 8u>;
var<workgroup> listed_count: atomic<u32>;
var<workgroup> size: u32;
var<workgroup> first_group: u32;

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
  if (lane == 0u) {
    first_group = select(resume[query], 0u, params.fresh == 1u);
  }
  var from_group = workgroupUniformLoad(&first_group);
  if (from_group >= params.groups) {
    return;
  }
  load_top(query, lane);
  var made = 0u;
  while (from_group < params.groups) {
    workgroupBarrier();
    let farthest = top_distances[params.k - 1u];
    let end = min(from_group + WINDOW, params.groups);
    for (var g = from_group + lane; g < end; g += LANES) {
      var rows = near[query * params.groups + g];
      if (bitcast<f32>(rows & 0xffffff00u) <= farthest) {
        rows &= 0xffu;
        while (rows != 0u) {
          listed[atomicAdd(&listed_count, 1u)] = g * 8u + firstTrailingBit(rows);
          rows &= rows - 1u;
        }
      }
    }
    workgroupBarrier();
    if (lane == 0u) {
      size = atomicLoad(&listed_count);
    }
    let count = workgroupUniformLoad(&size);
    made += count / 8u;
    from_group = end;
    // Fewer than 8 wait for the next window, if there is one.
    let last = end == params.groups || made >= params.most;
    let used = select(count & ~7u, count, last);
    for (var i = 0u; i < used; i += 8u) {
      if (lane < 8u) {
        measured[lane] = select(NONE, listed[i + lane], i + lane < count);
      }
      workgroupBarrier();
      measure(query, lane);
    }
    var later = 0u;
    if (lane < 8u) {
      later = listed[used + lane];
    }
    workgroupBarrier();
    if (lane < 8u) {
      listed[lane] = later;
    }
    if (lane == 0u) {
      atomicStore(&listed_count, count - used);
    }
    if (last) {
      break;
    }
  }
  if (lane == 0u) {
    resume[query] = from_group;
  }
  workgroupBarrier();
  store_top(query, lane);
}
