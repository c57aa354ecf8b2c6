// Tile for any adapter: addresses of queries depend only on the workgroup and
// the loop, so that they are uniform over the lanes.
//# Written out for 16 queries.
const LANES = 64u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wid.y * LANES + lane;
  let query = wid.x * 16u;
  let first_panel = (group >> 3u) * params.panels_per_group;
  let column = group & 7u;
  let q0 = query_at(query);
  //#for q 1 16
  let q{q} = query_at(query + {q}u);
  //#end
  //#for q 0 16
  var least{q} = FAR;
  //#end
  for (var p = 0u; p < params.panels_per_group; p++) {
    let panel = min(first_panel + p, params.panels - 1u);
    //#for q 0 16
    var s{q}_0 = vec4f();
    var s{q}_1 = vec4f();
    //#end
    var at = panel * params.dim4 * 64u + column;
    for (var k = 0u; k < params.dim4; k++) {
      //#use bank_rows
      //#for q 0 16
      let a{q} = queries[q{q} + k];
      s{q}_0 = multiply_add(s{q}_0, a{q}, b0_0, b1_0, b2_0, b3_0);
      s{q}_1 = multiply_add(s{q}_1, a{q}, b0_1, b1_1, b2_1, b3_1);
      //#end
    }
    if (first_panel + p < params.panels) {
      let n0 = norms[panel * 16u + 2u * column];
      let n1 = norms[panel * 16u + 2u * column + 1u];
      let i0 = images_of(panel * 16u + 2u * column);
      let i1 = images_of(panel * 16u + 2u * column + 1u);
      //#for q 0 16
      least{q} = min(least{q}, nearest(query + {q}u, s{q}_0, s{q}_1, n0, n1, i0, i1));
      //#end
    }
  }
  //#for q 0 16
  store(query + {q}u, group, least{q});
  //#end
}
