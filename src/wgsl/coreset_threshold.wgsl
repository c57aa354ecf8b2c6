// coreset_threshold: which bin is the first that does not fit any more
//
// bins  [65536]  from coreset_histogram; zero afterwards
// state [16]     ROOM: rows that still fit; HIGH, LEAST, CUT: what was found;
//                FLOOR: what LEAST may not be below
//
// Passes 0 and 1 count from the highest bin down, pass 2 from the lowest row up.

@group(0) @binding(0) var<storage, read_write> bins: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;

struct Params {
  level: u32,
  shift: u32,
  capacity: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

const LANES = 64u;
const BINS = 65536u;
const LEAST = 8u;
const CUT = 9u;
const HIGH = 10u;
const ROOM = 11u;
const SIZE = 12u;
const FLOOR = 13u;

var<workgroup> sums: array<u32, LANES>;

// The i-th bin in the order of counting.
fn bin(i: u32) -> u32 {
  return select(BINS - 1u - i, i, params.level == 2u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  let share = BINS / LANES;
  var sum = 0u;
  for (var i = 0u; i < share; i++) {
    sum += bins[bin(lane * share + i)];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    var room = select(state[ROOM], params.capacity, params.level == 0u);
    var i = 0u;
    for (; i < LANES; i++) {
      if (sums[i] > room) {
        break;
      }
      room -= sums[i];
    }
    i *= share;
    for (; i < BINS; i++) {
      let count = bins[bin(i)];
      if (count > room) {
        break;
      }
      room -= count;
    }
    // i == BINS: everything fits.
    let all = i >= BINS;
    let found = bin(min(i, BINS - 1u));
    state[ROOM] = select(room, 0xffffffffu, all);
    if (params.level == 0u) {
      state[HIGH] = select(found, 0u, all);
    } else if (params.level == 1u) {
      state[LEAST] = max((state[HIGH] << 16u) | select(found, 0u, all), state[FLOOR]);
    } else {
      state[CUT] = select(found << params.shift, 0xffffffffu, all);
      state[SIZE] = 0u;
    }
  }
  workgroupBarrier();
  for (var i = 0u; i < share; i++) {
    bins[bin(lane * share + i)] = 0u;
  }
}
