// cholesky_solve: the rows of a panel below its diagonal block, in place:
// L[i, c] = Σ_k A[i, k] · B[c, k], B the inverse of the block's factor
//
// factors [positions, packed/4]  lower triangles in panels (see covariance); the
//                                diagonal block of the panel holds B
//
// The grid: x over rows, z over positions. A lane owns 4 rows × 16 columns.
//# Written out for the 16 columns of a panel.

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
  //#for q 0 16
  var s{q} = vec4f();
  //#end
  let start = group.z * params.packed4 + 4u * column4 * (params.dim4 + 2u) -
    2u * column4 * column4;
  var at = start;
  for (var k = 0u; k < 16u; k++) {
    let a = factors[at + below];
    let b0 = factors[at];
    let b1 = factors[at + 1u];
    let b2 = factors[at + 2u];
    let b3 = factors[at + 3u];
    //#for q 0 16
    s{q} += a * b{q / 4}.{xyzw[q % 4]};
    //#end
    at += height;
  }
  let to = start + below;
  //#for q 0 16
  factors[to + {q}u * height] = s{q};
  //#end
}
