// coreset_select: lists the rows that are to be refined alone: all whose anchor
// is not below state[LEAST], with that very anchor only rows below state[CUT]
//
// anchors    [N]
// state      [16]  see coreset_step; SIZE counts the rows listed
// index      [N]   what row of the whole row set each one is, when INDEXED
// candidates [C]   those, in no particular order
// refined    [C]   their anchors

@group(0) @binding(0) var<storage, read> anchors: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<atomic<u32>, 16>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> candidates: array<u32>;
@group(0) @binding(4) var<storage, read_write> refined: array<f32>;

struct Params {
  rows: u32,
  capacity: u32,
}
@group(0) @binding(5) var<uniform> params: Params;

override INDEXED: bool = false;

const LEAST = 8u;
const CUT = 9u;
const SIZE = 12u;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let least = bitcast<f32>(atomicLoad(&state[LEAST]));
  let cut = atomicLoad(&state[CUT]);
  let stride = groups.x * groups.y * 64u;
  for (
    var row = (group.y * groups.x + group.x) * 64u + lane;
    row < params.rows;
    row += stride
  ) {
    let anchor = anchors[row];
    if (anchor > least || (anchor == least && row < cut)) {
      let slot = atomicAdd(&state[SIZE], 1u);
      if (slot < params.capacity) {
        if (INDEXED) {
          candidates[slot] = index[row];
        } else {
          candidates[slot] = row;
        }
        refined[slot] = anchor;
      }
    }
  }
}
