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
//# Written out for the 16 columns of a panel.

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
  //#for q 0 16
  var s{q} = vec4f();
  //#end
  var at = (params.first + group.z) * params.stride * params.dim4;
  for (var n = 0u; n < params.count; n++) {
    let a = rows[at + row4];
    let b0 = rows[at + column4];
    let b1 = rows[at + column4 + 1u];
    let b2 = rows[at + column4 + 2u];
    let b3 = rows[at + column4 + 3u];
    //#for q 0 16
    s{q} += a * b{q / 4}.{xyzw[q % 4]};
    //#end
    at += params.dim4;
  }
  let height = params.dim4 - column4;
  let panel = 4u * column4 * (params.dim4 + 2u) - 2u * column4 * column4;
  var to = group.z * params.packed4 + panel + row4 - column4;
  if (params.start == 1u) {
    //#for q 0 16
    sums[to + {q}u * height] = s{q};
    //#end
    return;
  }
  //#for q 0 16
  sums[to + {q}u * height] += s{q};
  //#end
}
