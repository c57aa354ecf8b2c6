// principal_combine: rest = Σ weights[p] (x[p] − mean), for each image.
//
// x [N · P, D/4], mean [N, D/4], weights [N, P], rest [N, D/4]. One lane is four
// dimensions of an image.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> mean: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> rest: array<vec4f>;

struct Params {
  images: u32,
  patches: u32, // P
  dim4: u32, // D / 4
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let place = (group.y * groups.x + group.x) * 64u + lane;
  if (place >= params.images * params.dim4) {
    return;
  }
  let image = place / params.dim4;
  let middle = mean[place];
  var at = image * params.patches * params.dim4 + place % params.dim4;
  var sum = vec4f();
  for (var p = 0u; p < params.patches; p++) {
    sum += weights[image * params.patches + p] * (x[at] - middle);
    at += params.dim4;
  }
  rest[place] = sum;
}
