// coreset_histogram: counts rows by the key of the present pass
//
// Non-negative floats are in the order of their bits, so three passes find the
// rows that are farthest, ties by index: by the anchor's high half, by its low
// half where the high half is state[HIGH], by the row's index where the whole
// anchor is state[LEAST].
//
// anchors [N]
// state   [16]      see coreset_step
// bins    [65536]   zero before; coreset_threshold leaves them zero

@group(0) @binding(0) var<storage, read> anchors: array<u32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> bins: array<atomic<u32>>;

struct Params {
  rows: u32,
  level: u32,
  shift: u32, // rows per bin of the last pass, as a power of 2
}
@group(0) @binding(3) var<uniform> params: Params;

const LEAST = 8u;
const HIGH = 10u;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let stride = groups.x * groups.y * 64u;
  for (
    var row = (group.y * groups.x + group.x) * 64u + lane;
    row < params.rows;
    row += stride
  ) {
    let bits = anchors[row];
    if (params.level == 0u) {
      atomicAdd(&bins[bits >> 16u], 1u);
    } else if (params.level == 1u) {
      if (bits >> 16u == state[HIGH]) {
        atomicAdd(&bins[bits & 0xffffu], 1u);
      }
    } else if (bits == state[LEAST]) {
      atomicAdd(&bins[row >> params.shift], 1u);
    }
  }
}
