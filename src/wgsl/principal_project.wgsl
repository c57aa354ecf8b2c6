// principal_project: y[p] = (x[p] − mean) · vector, for a vector of each image.
//
// With START the patches get numbers between −1 and 1 that look random instead.
//
// x [N · P, D/4], mean [N, D/4], vectors [≥ N · stride4] of which each image's
// begins at image · stride4 + offset4, y [N, P]. One lane is one patch.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> mean: array<vec4f>;
@group(0) @binding(2) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  images: u32,
  patches: u32, // P
  dim4: u32, // D / 4
  stride4: u32,
  offset4: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

override START: bool = false;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.images * params.patches) {
    return;
  }
  let image = row / params.patches;
  if (START) {
    let patch_number = row % params.patches;
    let hash = (patch_number * 2654435769u) ^ ((patch_number * 40503u) >> 3u);
    y[row] = f32(hash >> 8u) / 8388608.0 - 1.0;
    return;
  }
  let first = row * params.dim4;
  let middle = image * params.dim4;
  let vector = image * params.stride4 + params.offset4;
  var sum = vec4f();
  for (var d = 0u; d < params.dim4; d++) {
    sum += (x[first + d] - mean[middle + d]) * vectors[vector + d];
  }
  y[row] = (sum.x + sum.y) + (sum.z + sum.w);
}
