// coreset_step: one pick of the greedy coreset
//
// Every workgroup first reduces the maxima that the previous dispatch left, so
// that all agree on the pick without a host round trip; then it updates the
// anchors of its panels and leaves its own maximum.
//
// packed  [panels, D, 16]  rows in panels (see pack_rows)
// rows    [n]              index of each row in the whole row set
// anchors [n]              distance to the nearest centre so far; updated
// maxima  [2, W]           (anchor's bits, index, slot, 0), by parity
// state   [16]             see below; counters by parity
// picks   [K]              indices picked
// centres [K, D]           their rows, written when STORE
//
// Ties go to the lowest index. Nothing happens any more once all picks are
// made, once every anchor is 0, or once a row outside this set may be farther
// than the farthest in it (`state[8]`, `state[9]`).
//# Written out for a lane's 8 rows.

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> anchors: array<f32>;
@group(0) @binding(3) var<storage, read_write> maxima: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> state: array<u32>;
@group(0) @binding(5) var<storage, read_write> picks: array<u32>;
@group(0) @binding(6) var<storage, read_write> centres: array<f32>;

struct Params {
  count: u32, // rows
  dim: u32,
  panels: u32,
  limit: u32, // picks to make
  parity: u32, // which maxima and counters to read; the others are written
  pick: u32, // 0: only find the maxima and start the counters
  workgroups: u32,
}
@group(0) @binding(7) var<uniform> params: Params;

override LANES: u32 = 64u;
override STORE: bool = false;

const NONE = 0xffffffffu;
// Places in `state`: counters are at 4 * parity.
const COUNT = 0u;
const DONE = 1u;
const LEAST = 8u; // bits of the least anchor that still may be picked
const CUT = 9u; // with that very anchor, only rows below this may be picked
const SIZE = 12u; // rows in use, when fewer than `count`

struct Farthest {
  anchor: f32,
  row: u32,
  slot: u32,
}
var<workgroup> farthest: array<Farthest, LANES>;
var<workgroup> chosen: u32;

fn farther(a: Farthest, b: Farthest) -> Farthest {
  let first = a.anchor > b.anchor || (a.anchor == b.anchor && a.row < b.row);
  return Farthest(
    select(b.anchor, a.anchor, first),
    select(b.row, a.row, first),
    select(b.slot, a.slot, first),
  );
}

// Leaves the farthest of all lanes in farthest[0].
fn reduce(lane: u32, own: Farthest) {
  farthest[lane] = own;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      farthest[lane] = farther(farthest[lane], farthest[lane + half]);
    }
    workgroupBarrier();
  }
}

fn add(sum: vec4f, row: vec4f, centre: f32) -> vec4f {
  let difference = row - centre;
  return fma(difference, difference, sum);
}

fn update(slot: u32, size: u32, distance: f32, best: Farthest) -> Farthest {
  if (slot >= size) {
    return best;
  }
  var anchor = anchors[slot];
  if (params.pick == 1u && distance < anchor) {
    anchor = distance;
    anchors[slot] = anchor;
  }
  if (anchor < best.anchor) {
    return best;
  }
  return farther(best, Farthest(anchor, rows[slot], slot));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let before = params.parity * 4u;
  let after = 4u - before;
  let size = select(params.count, min(params.count, state[SIZE]), STORE);
  var centre = 0u;
  var component = 0u;
  if (params.pick == 1u) {
    var last = Farthest(-1.0, NONE, 0u);
    for (var i = lane; i < params.workgroups; i += LANES) {
      let m = maxima[params.parity * params.workgroups + i];
      last = farther(last, Farthest(bitcast<f32>(m.x), m.y, m.z));
    }
    reduce(lane, last);
    if (lane == 0u) {
      last = farthest[0];
      let count = state[before + COUNT];
      let least = bitcast<f32>(state[LEAST]);
      let inside = last.anchor > least || (last.anchor == least && last.row < state[CUT]);
      let done = state[before + DONE] == 1u || count >= params.limit || !inside ||
        (last.anchor <= 0.0 && count > 0u);
      chosen = select(last.slot, NONE, done);
      if (wid.x == 0u) {
        state[after + COUNT] = select(count + 1u, count, done);
        state[after + DONE] = u32(done);
        if (!done) {
          picks[count] = last.row;
        }
      }
    }
    let slot = workgroupUniformLoad(&chosen);
    if (slot == NONE) {
      return;
    }
    // Row `slot` of its panel: see pack_rows.
    let r = slot & 63u;
    centre = (slot >> 6u) * params.dim * 16u + ((r >> 2u) & 1u) * 8u + (r >> 3u);
    component = r & 3u;
    if (STORE && wid.x == 0u) {
      let to = state[before + COUNT] * params.dim;
      for (var k = lane; k < params.dim; k += LANES) {
        centres[to + k] = packed[centre + k * 16u][component];
      }
    }
  } else if (wid.x == 0u && lane == 0u) {
    state[after + DONE] = 0u;
  }

  var best = Farthest(-1.0, NONE, 0u);
  let used = (size + 63u) / 64u;
  let lanes = params.workgroups * LANES;
  for (var t = wid.x * LANES + lane; t < used * 8u; t += lanes) {
    let panel = t >> 3u;
    let column = t & 7u;
    var sum0 = vec4f();
    var sum1 = vec4f();
    if (params.pick == 1u) {
      var at = panel * params.dim * 16u + column;
      var from_centre = centre;
      for (var k = 0u; k < params.dim; k += 4u) {
        let c0 = packed[from_centre][component];
        let c1 = packed[from_centre + 16u][component];
        let c2 = packed[from_centre + 32u][component];
        let c3 = packed[from_centre + 48u][component];
        sum0 = add(sum0, packed[at], c0);
        //#for q 1 8
        sum{q % 2} = add(sum{q % 2}, packed[at + {8 * q}u], c{q / 2});
        //#end
        at += 64u;
        from_centre += 64u;
      }
      sum0 = sqrt(sum0);
      sum1 = sqrt(sum1);
    }
    let slot = panel * 64u + column * 8u;
    best = update(slot, size, sum0.x, best);
    //#for q 1 8
    best = update(slot + {q}u, size, sum{q / 4}.{xyzw[q % 4]}, best);
    //#end
  }
  workgroupBarrier();
  reduce(lane, best);
  if (lane == 0u) {
    let found = farthest[0];
    maxima[(1u - params.parity) * params.workgroups + wid.x] =
      vec4u(bitcast<u32>(found.anchor), found.row, found.slot, 0u);
  }
}
