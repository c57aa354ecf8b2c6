// For subgroups of exactly 8 lanes (llvmpipe): every lane loads four queries'
// values and the others get them by subgroupBroadcast, since a load costs per
// lane there and a broadcast next to nothing. 32 queries and 4 dimensions a turn,
// as sums that do not fit the registers cost a load and a store each.
//# Written out for 32 queries.
@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wid.y * 8u + lane;
  let query = wid.x * 32u;
  let first_panel = (group >> 3u) * params.panels_per_group;
  let column = group & 7u;
  let q0 = query_at(query + lane);
  let q1 = query_at(query + 8u + lane);
  let q2 = query_at(query + 16u + lane);
  let q3 = query_at(query + 24u + lane);
  //#for q 0 32
  var least{q} = FAR;
  //#end
  for (var p = 0u; p < params.panels_per_group; p++) {
    let panel = min(first_panel + p, params.panels - 1u);
    //#for q 0 32
    var s{q}_0 = vec4f();
    var s{q}_1 = vec4f();
    //#end
    var at = panel * params.dim4 * 64u + column;
    for (var k = 0u; k < params.dim4; k++) {
      //#use bank_rows
      let x0 = queries[q0 + k];
      let x1 = queries[q1 + k];
      let x2 = queries[q2 + k];
      let x3 = queries[q3 + k];
      //#for q 0 32
      let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
      s{q}_0 = multiply_add(s{q}_0, a{q}, b0_0, b1_0, b2_0, b3_0);
      s{q}_1 = multiply_add(s{q}_1, a{q}, b0_1, b1_1, b2_1, b3_1);
      //#end
    }
    if (first_panel + p < params.panels) {
      let n0 = norms[panel * 16u + 2u * column];
      let n1 = norms[panel * 16u + 2u * column + 1u];
      let i0 = images_of(panel * 16u + 2u * column);
      let i1 = images_of(panel * 16u + 2u * column + 1u);
      //#for q 0 32
      least{q} = min(least{q}, nearest(query + {q}u, s{q}_0, s{q}_1, n0, n1, i0, i1));
      //#end
    }
  }
  //#for q 0 32
  store(query + {q}u, group, least{q});
  //#end
}
