// principal_mean: means of the patches of each image.
//
// x [N · P, D/4], mean [N, D/4]. One lane is four dimensions of an image.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mean: array<vec4f>;

struct Params {
  images: u32,
  patches: u32, // P
  dim4: u32, // D / 4
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let place = (group.y * groups.x + group.x) * 64u + lane;
  if (place >= params.images * params.dim4) {
    return;
  }
  var at = place / params.dim4 * params.patches * params.dim4 + place % params.dim4;
  var sum = vec4f();
  for (var p = 0u; p < params.patches; p++) {
    sum += x[at];
    at += params.dim4;
  }
  mean[place] = sum / f32(params.patches);
}
