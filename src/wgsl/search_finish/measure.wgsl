// Measuring bank rows for one query: 8 at a time, by direct differences, their
// dimensions shared by the lanes of the query's workgroup. Sums only grow, so the
// rows are left as soon as all are farther than the k-th nearest so far.
//
// Overrides stand before this part: naga 29 fails on one that follows an array
// whose length is an override's.
//
//
// queries    [Q, D]  row-major
// bank       [R, D]  row-major
// distances  [Q, k]  squared distances so far, ascending; updated
// indices    [Q, k]  their rows, NONE where there are fewer than k
//# Written out for 8 bank rows.

override LANES: u32 = 64u;
override LOOK: u32 = 256u; // dimensions after which rows may be left

const FAR = 3e38;
const NONE = 0xffffffffu;
const MOST = 16u;

var<workgroup> sums: array<f32, 8u * LANES>;
var<workgroup> totals: array<f32, 8>;
var<workgroup> measured: array<u32, 8>; // rows to measure; NONE for none
var<workgroup> top_distances: array<f32, MOST>;
var<workgroup> top_indices: array<u32, MOST>;
var<workgroup> go_on: u32;

//#use insertion

struct Sums {
  low: vec4f,
  high: vec4f,
}

// Adds lanes up: totals[r] of row r. LANES is a multiple of 8.
fn reduce(lane: u32, sum: Sums) {
  sums[lane] = sum.low.x;
  sums[LANES + lane] = sum.low.y;
  sums[2u * LANES + lane] = sum.low.z;
  sums[3u * LANES + lane] = sum.low.w;
  sums[4u * LANES + lane] = sum.high.x;
  sums[5u * LANES + lane] = sum.high.y;
  sums[6u * LANES + lane] = sum.high.z;
  sums[7u * LANES + lane] = sum.high.w;
  workgroupBarrier();
  if (lane < 8u) {
    var total = 0.0;
    for (var i = lane * LANES; i < (lane + 1u) * LANES; i += 8u) {
      total += sums[i];
      //#for q 1 8
      total += sums[i + {q}u];
      //#end
    }
    totals[lane] = total;
  }
}

struct Starts {
  query: u32,
  //#for q 0 8
  row{q}: u32,
  //#end
}

fn start_of(r: u32) -> u32 {
  return (params.first + min(measured[r], params.rows - 1u)) * params.dim;
}

fn add(sum: Sums, at: Starts, i: u32) -> Sums {
  let x = queries[at.query + i];
  let low = x -
    vec4f(bank[at.row0 + i], bank[at.row1 + i], bank[at.row2 + i], bank[at.row3 + i]);
  let high = x -
    vec4f(bank[at.row4 + i], bank[at.row5 + i], bank[at.row6 + i], bank[at.row7 + i]);
  return Sums(fma(low, low, sum.low), fma(high, high, sum.high));
}

// Whether a row is not farther than the k-th so far; a whole sum is kept.
fn consider(r: u32, whole: bool) -> bool {
  let total = totals[r];
  if (measured[r] == NONE || total > top_distances[params.k - 1u]) {
    return false;
  }
  if (whole) {
    insert(total, params.base + measured[r]);
  }
  return true;
}

// Measures the rows of `measured`; called by all lanes after a barrier.
fn measure(query: u32, lane: u32) {
  let dim = params.dim;
  let at = Starts(
    query * dim,
    //#for q 0 8
    start_of({q}u),
    //#end
  );
  var sum = Sums();
  for (var from_dim = 0u; from_dim < dim; from_dim += LOOK) {
    let end = min(from_dim + LOOK, dim);
    var i = from_dim + lane;
    for (; i + 3u * LANES < end; i += 4u * LANES) {
      sum = add(sum, at, i);
      sum = add(sum, at, i + LANES);
      sum = add(sum, at, i + 2u * LANES);
      sum = add(sum, at, i + 3u * LANES);
    }
    for (; i < end; i += LANES) {
      sum = add(sum, at, i);
    }
    reduce(lane, sum);
    workgroupBarrier();
    if (lane == 0u) {
      let whole = end == dim;
      var inside = consider(0u, whole);
      //#for q 1 8
      inside = consider({q}u, whole) || inside;
      //#end
      go_on = u32(inside);
    }
    if (workgroupUniformLoad(&go_on) == 0u) {
      break;
    }
  }
}

fn load_top(query: u32, lane: u32) {
  for (var i = lane; i < params.k; i += LANES) {
    let at = query * params.k + i;
    top_distances[i] = select(distances[at], FAR, params.start == 1u);
    top_indices[i] = select(indices[at], NONE, params.start == 1u);
  }
}

fn store_top(query: u32, lane: u32) {
  if (lane == 0u) {
    for (var i = 0u; i < params.k; i++) {
      distances[query * params.k + i] = top_distances[i];
      indices[query * params.k + i] = top_indices[i];
    }
  }
}
