// coreset_gather: packs listed rows into panels (see pack_rows)
//
// rows       [R, D/4]        row-major chunk of the row set
// candidates [C]             rows of the whole set
// state      [16]            SIZE: how many are listed
// packed     [panels, D, 64] rows of other chunks are left alone

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read> candidates: array<u32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> packed: array<f32>;

struct Params {
  base: u32, // index of the chunk's first row in the whole set
  count: u32, // rows of the chunk
  dim4: u32,
  capacity: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

const SIZE = 12u;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let slot = i / params.dim4;
  if (slot >= min(state[SIZE], params.capacity)) {
    return;
  }
  let row = candidates[slot] - params.base;
  if (row >= params.count) {
    return;
  }
  let k = i - slot * params.dim4;
  let v = rows[row * params.dim4 + k];
  let r = slot & 63u;
  let column = ((r >> 2u) & 1u) * 8u + (r >> 3u);
  let at = (((slot >> 6u) * params.dim4 + k) * 64u + column) * 4u + (r & 3u);
  packed[at] = v.x;
  packed[at + 64u] = v.y;
  packed[at + 128u] = v.z;
  packed[at + 192u] = v.w;
}
