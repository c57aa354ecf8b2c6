// cholesky_update: takes the finished panels out of the next one, in place:
// A[i, j] ← scale · A[i, j] + ridge · [i = j] − Σ_k L[i, k] · L[j, k]
//
// factors [positions, packed/4]  lower triangles in panels (see covariance)
//
// The sum runs over the columns of the panels before. The grid: x over rows, z over
// positions. A lane owns 4 rows × 16 columns.

@group(0) @binding(0) var<storage, read_write> factors: array<vec4f>;

struct Params {
  dim4: u32,
  panel: u32,
  packed4: u32,
  scale: f32,
  ridge: f32,
}
@group(0) @binding(1) var<uniform> params: Params;

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column4 = params.panel * 4u;
  let row4 = column4 + group.x * LANES + lane;
  if (row4 >= params.dim4) {
    return;
  }
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var s8 = vec4f();
  var s9 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s14 = vec4f();
  var s15 = vec4f();
  let base = group.z * params.packed4;
  var at = base;
  for (var done4 = 0u; done4 < column4; done4 += 4u) {
    let height = params.dim4 - done4;
    for (var k = 0u; k < 16u; k++) {
      let a = factors[at + row4 - done4];
      let uniform_at = at + column4 - done4;
      let b0 = factors[uniform_at];
      let b1 = factors[uniform_at + 1u];
      let b2 = factors[uniform_at + 2u];
      let b3 = factors[uniform_at + 3u];
      s0 += a * b0.x;
      s1 += a * b0.y;
      s2 += a * b0.z;
      s3 += a * b0.w;
      s4 += a * b1.x;
      s5 += a * b1.y;
      s6 += a * b1.z;
      s7 += a * b1.w;
      s8 += a * b2.x;
      s9 += a * b2.y;
      s10 += a * b2.z;
      s11 += a * b2.w;
      s12 += a * b3.x;
      s13 += a * b3.y;
      s14 += a * b3.z;
      s15 += a * b3.w;
      at += height;
    }
  }
  let diagonal = row4 - column4;
  let ridge = params.ridge;
  let height = params.dim4 - column4;
  let to = at + diagonal;
  if (diagonal == 0u) {
    s0.x -= ridge;
    s1.y -= ridge;
    s2.z -= ridge;
    s3.w -= ridge;
  }
  if (diagonal == 1u) {
    s4.x -= ridge;
    s5.y -= ridge;
    s6.z -= ridge;
    s7.w -= ridge;
  }
  if (diagonal == 2u) {
    s8.x -= ridge;
    s9.y -= ridge;
    s10.z -= ridge;
    s11.w -= ridge;
  }
  if (diagonal == 3u) {
    s12.x -= ridge;
    s13.y -= ridge;
    s14.z -= ridge;
    s15.w -= ridge;
  }
  factors[to + 0u * height] = params.scale * factors[to + 0u * height] - s0;
  factors[to + 1u * height] = params.scale * factors[to + 1u * height] - s1;
  factors[to + 2u * height] = params.scale * factors[to + 2u * height] - s2;
  factors[to + 3u * height] = params.scale * factors[to + 3u * height] - s3;
  factors[to + 4u * height] = params.scale * factors[to + 4u * height] - s4;
  factors[to + 5u * height] = params.scale * factors[to + 5u * height] - s5;
  factors[to + 6u * height] = params.scale * factors[to + 6u * height] - s6;
  factors[to + 7u * height] = params.scale * factors[to + 7u * height] - s7;
  factors[to + 8u * height] = params.scale * factors[to + 8u * height] - s8;
  factors[to + 9u * height] = params.scale * factors[to + 9u * height] - s9;
  factors[to + 10u * height] = params.scale * factors[to + 10u * height] - s10;
  factors[to + 11u * height] = params.scale * factors[to + 11u * height] - s11;
  factors[to + 12u * height] = params.scale * factors[to + 12u * height] - s12;
  factors[to + 13u * height] = params.scale * factors[to + 13u * height] - s13;
  factors[to + 14u * height] = params.scale * factors[to + 14u * height] - s14;
  factors[to + 15u * height] = params.scale * factors[to + 15u * height] - s15;
}
