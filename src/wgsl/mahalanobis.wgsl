// mahalanobis: |L⁻¹ (x − μ)| by forward substitution, for 4 images at a position
//
// rows      [positions, stride, D]   x, one row per image
// means     [positions, D]           μ
// factors   [chunk, packed]          L in panels (see covariance), the inverses of
//                                    the diagonal blocks in their place
// distances [images, positions]
//
// The grid: x over groups of 4 images, y over the chunk's positions. A workgroup
// has the remainder of 4 images in its memory, one vec4f a dimension: each value
// of L is read once for all 4.

@group(0) @binding(0) var<storage, read> rows: array<f32>;
@group(0) @binding(1) var<storage, read> means: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;

struct Params {
  images: u32,
  stride: u32,
  first: u32, // position of the chunk's first
  positions: u32,
  packed: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

override DIM: u32 = 16u;
override LANES: u32 = 64u;

var<workgroup> rest: array<vec4f, DIM>;
var<workgroup> solved: array<vec4f, 16>;
var<workgroup> sums: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let position = params.first + group.y;
  let last = params.images - 1u;
  let image = group.x * 4u;
  let base = position * params.stride;
  let at0 = (base + image) * DIM;
  let at1 = (base + min(image + 1u, last)) * DIM;
  let at2 = (base + min(image + 2u, last)) * DIM;
  let at3 = (base + min(image + 3u, last)) * DIM;
  for (var i = lane; i < DIM; i += LANES) {
    let x = vec4f(rows[at0 + i], rows[at1 + i], rows[at2 + i], rows[at3 + i]);
    rest[i] = x - means[position * DIM + i];
  }
  workgroupBarrier();
  var total = vec4f();
  var panel = group.y * params.packed;
  for (var column = 0u; column < DIM; column += 16u) {
    let height = DIM - column;
    for (var r = lane; r < 16u; r += LANES) {
      var y = vec4f();
      for (var k = 0u; k <= r; k++) {
        y += factors[panel + k * height + r] * rest[column + k];
      }
      solved[r] = y;
      total += y * y;
    }
    workgroupBarrier();
    let y0 = solved[0];
    let y1 = solved[1];
    let y2 = solved[2];
    let y3 = solved[3];
    let y4 = solved[4];
    let y5 = solved[5];
    let y6 = solved[6];
    let y7 = solved[7];
    let y8 = solved[8];
    let y9 = solved[9];
    let y10 = solved[10];
    let y11 = solved[11];
    let y12 = solved[12];
    let y13 = solved[13];
    let y14 = solved[14];
    let y15 = solved[15];
    for (var i = 16u + lane; i < height; i += LANES) {
      let at = panel + i;
      var value = rest[column + i];
      value -= factors[at] * y0;
      value -= factors[at + height] * y1;
      value -= factors[at + 2u * height] * y2;
      value -= factors[at + 3u * height] * y3;
      value -= factors[at + 4u * height] * y4;
      value -= factors[at + 5u * height] * y5;
      value -= factors[at + 6u * height] * y6;
      value -= factors[at + 7u * height] * y7;
      value -= factors[at + 8u * height] * y8;
      value -= factors[at + 9u * height] * y9;
      value -= factors[at + 10u * height] * y10;
      value -= factors[at + 11u * height] * y11;
      value -= factors[at + 12u * height] * y12;
      value -= factors[at + 13u * height] * y13;
      value -= factors[at + 14u * height] * y14;
      value -= factors[at + 15u * height] * y15;
      rest[column + i] = value;
    }
    workgroupBarrier();
    panel += 16u * height;
  }
  sums[lane] = total;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < min(LANES, 16u); i++) {
      total += sums[i];
    }
    let d = sqrt(total);
    let to = image * params.positions + position;
    distances[to] = d.x;
    if (image + 1u <= last) { distances[to + params.positions] = d.y; }
    if (image + 2u <= last) { distances[to + 2u * params.positions] = d.z; }
    if (image + 3u <= last) { distances[to + 3u * params.positions] = d.w; }
  }
}
