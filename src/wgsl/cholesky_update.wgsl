// cholesky_update: takes the finished panels out of the next one, in place:
// A[i, j] ← scale · A[i, j] + ridge · [i = j] − Σ_k L[i, k] · L[j, k]
//
// factors [positions, packed/4]  lower triangles in panels (see covariance)
//
// The sum runs over the columns of the panels before. The grid: x over rows, z over
// positions. A lane owns 4 rows × 16 columns.
//# Written out for the 16 columns of a panel.

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
  //#for q 0 16
  var s{q} = vec4f();
  //#end
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
      //#for q 0 16
      s{q} += a * b{q / 4}.{xyzw[q % 4]};
      //#end
      at += height;
    }
  }
  let diagonal = row4 - column4;
  let ridge = params.ridge;
  let height = params.dim4 - column4;
  let to = at + diagonal;
  //#for q 0 4
  if (diagonal == {q}u) {
    s{4 * q}.x -= ridge;
    s{4 * q + 1}.y -= ridge;
    s{4 * q + 2}.z -= ridge;
    s{4 * q + 3}.w -= ridge;
  }
  //#end
  //#for q 0 16
  factors[to + {q}u * height] = params.scale * factors[to + {q}u * height] - s{q};
  //#end
}
