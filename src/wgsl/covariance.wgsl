// covariance: adds the outer products of rows, M[i, j] += Σ_n x[n, i] · x[n, j],
// for many positions at once (PaDiM's statistics)
//
// rows   [positions, stride, D/4]  the first `count` rows of each position count
// sums   [positions, packed/4]     lower triangles in panels of 16 columns
//
// Panel J holds the columns 16 J … 16 J + 15 from row 16 J down, column by column;
// panels follow one another. D is a multiple of 16.
//
// The grid: x over rows, y over panels, z over positions. A lane owns 4 rows × 16
// columns; the columns' values have the same address for all lanes.

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;

struct Params {
  dim4: u32,
  count: u32,
  stride: u32,
  first: u32, // position, in `rows`, of the first one in `sums`
  packed4: u32, // of one position
  start: u32, // 1: `sums` are undefined before
}
@group(0) @binding(2) var<uniform> params: Params;

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column4 = group.y * 4u;
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
  var at = (params.first + group.z) * params.stride * params.dim4;
  for (var n = 0u; n < params.count; n++) {
    let a = rows[at + row4];
    let b0 = rows[at + column4];
    let b1 = rows[at + column4 + 1u];
    let b2 = rows[at + column4 + 2u];
    let b3 = rows[at + column4 + 3u];
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
    at += params.dim4;
  }
  let height = params.dim4 - column4;
  let panel = 4u * column4 * (params.dim4 + 2u) - 2u * column4 * column4;
  var to = group.z * params.packed4 + panel + row4 - column4;
  if (params.start == 1u) {
    sums[to + 0u * height] = s0;
    sums[to + 1u * height] = s1;
    sums[to + 2u * height] = s2;
    sums[to + 3u * height] = s3;
    sums[to + 4u * height] = s4;
    sums[to + 5u * height] = s5;
    sums[to + 6u * height] = s6;
    sums[to + 7u * height] = s7;
    sums[to + 8u * height] = s8;
    sums[to + 9u * height] = s9;
    sums[to + 10u * height] = s10;
    sums[to + 11u * height] = s11;
    sums[to + 12u * height] = s12;
    sums[to + 13u * height] = s13;
    sums[to + 14u * height] = s14;
    sums[to + 15u * height] = s15;
    return;
  }
  sums[to + 0u * height] += s0;
  sums[to + 1u * height] += s1;
  sums[to + 2u * height] += s2;
  sums[to + 3u * height] += s3;
  sums[to + 4u * height] += s4;
  sums[to + 5u * height] += s5;
  sums[to + 6u * height] += s6;
  sums[to + 7u * height] += s7;
  sums[to + 8u * height] += s8;
  sums[to + 9u * height] += s9;
  sums[to + 10u * height] += s10;
  sums[to + 11u * height] += s11;
  sums[to + 12u * height] += s12;
  sums[to + 13u * height] += s13;
  sums[to + 14u * height] += s14;
  sums[to + 15u * height] += s15;
}
