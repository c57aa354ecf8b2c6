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
//# Written out for the 16 columns of a panel.

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
    //#for q 0 16
    let y{q} = solved[{q}];
    //#end
    for (var i = 16u + lane; i < height; i += LANES) {
      let at = panel + i;
      var value = rest[column + i];
      value -= factors[at] * y0;
      value -= factors[at + height] * y1;
      //#for q 2 16
      value -= factors[at + {q}u * height] * y{q};
      //#end
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
