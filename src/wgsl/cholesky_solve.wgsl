// cholesky_solve: the rows of a panel below its diagonal block, in place:
// L[i, c] = Σ_k A[i, k] · B[c, k], B the inverse of the block's factor
//
// factors [positions, packed/4]  lower triangles in panels (see covariance); the
//                                diagonal block of the panel holds B
//
// The grid: x over rows, z over positions. A lane owns 4 rows × 16 columns.

@group(0) @binding(0) var<storage, read_write> factors: array<vec4f>;

struct Params {
  dim4: u32,
  panel: u32,
  packed4: u32,
}
@group(0) @binding(1) var<uniform> params: Params;

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column4 = params.panel * 4u;
  let height = params.dim4 - column4;
  let below = 4u + group.x * LANES + lane;
  if (below >= height) {
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
  let start = group.z * params.packed4 + 4u * column4 * (params.dim4 + 2u) -
    2u * column4 * column4;
  var at = start;
  for (var k = 0u; k < 16u; k++) {
    let a = factors[at + below];
    let b0 = factors[at];
    let b1 = factors[at + 1u];
    let b2 = factors[at + 2u];
    let b3 = factors[at + 3u];
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
  let to = start + below;
  factors[to + 0u * height] = s0;
  factors[to + 1u * height] = s1;
  factors[to + 2u * height] = s2;
  factors[to + 3u * height] = s3;
  factors[to + 4u * height] = s4;
  factors[to + 5u * height] = s5;
  factors[to + 6u * height] = s6;
  factors[to + 7u * height] = s7;
  factors[to + 8u * height] = s8;
  factors[to + 9u * height] = s9;
  factors[to + 10u * height] = s10;
  factors[to + 11u * height] = s11;
  factors[to + 12u * height] = s12;
  factors[to + 13u * height] = s13;
  factors[to + 14u * height] = s14;
  factors[to + 15u * height] = s15;
}
