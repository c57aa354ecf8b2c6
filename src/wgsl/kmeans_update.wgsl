// kmeans_update: every codeword becomes the mean of its rows, summed in the order
// of the list, so that the result is always the same
//
// rows      [R, D]         sub-quantiser m sees the elements from m · dims on
// order     [M, R]         rows, codeword after codeword
// offsets   [M, K + 1]     where each codeword's rows begin in `order`
// codebooks [M, dims, padded]  codewords without rows keep their values
//
// The grid: x over codewords, y over sub-quantisers. A lane is one dimension.

@group(0) @binding(0) var<storage, read> rows: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> codebooks: array<f32>;

struct Params {
  rows: u32, // from a sub-quantiser's list to the next
  dim: u32,
  dims: u32,
  codewords: u32,
  padded: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let list = group.y * (params.codewords + 1u) + group.x;
  let begin = offsets[list];
  let end = offsets[list + 1u];
  if (begin == end) {
    return;
  }
  let first = group.y * params.rows;
  for (var d = lane; d < params.dims; d += LANES) {
    let column = group.y * params.dims + d;
    var sum = 0.0;
    for (var i = begin; i < end; i++) {
      sum += rows[order[first + i] * params.dim + column];
    }
    codebooks[column * params.padded + group.x] = sum / f32(end - begin);
  }
}
