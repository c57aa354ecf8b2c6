// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two centres
// and the others get them by subgroupBroadcast.
//# Written out for 16 centres.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let panel = wid.y * grid.x + wid.x;
  if (panel >= params.panels) {
    return;
  }
  let from_row = panel * 64u + lane * 8u;
  let first_at = panel * params.dim4 * 64u + lane;
  var own = load_rows(from_row);
  var next = next_centre(panel, params.first);
  while (next < params.end) {
    // Lane l has the centres l and l + 8 of the next 16; the last one again where
    // there are no more.
    var centre = next;
    var mine0 = centre;
    var mine1 = centre;
    for (var i = 0u; i < 16u; i++) {
      if (next < params.end) {
        centre = next;
        next = next_centre(panel, next + 1u);
      }
      mine0 = select(mine0, centre, i == lane);
      mine1 = select(mine1, centre, i == lane + 8u);
    }
    let c0 = mine0 * params.dim4;
    let c1 = mine1 * params.dim4;
    //#for q 0 16
    var s{q}_0 = vec4f();
    var s{q}_1 = vec4f();
    //#end
    var at = first_at;
    for (var k = 0u; k < params.dim4; k++) {
      let b0_0 = packed[at];
      //#for q 1 8
      let b{q / 2}_{q % 2} = packed[at + {8 * q}u];
      //#end
      at += 64u;
      let x0 = centres[c0 + k];
      let x1 = centres[c1 + k];
      //#for q 0 16
      let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
      s{q}_0 = add4(s{q}_0, b0_0, b1_0, b2_0, b3_0, a{q});
      s{q}_1 = add4(s{q}_1, b0_1, b1_1, b2_1, b3_1, a{q});
      //#end
    }
    //#for q 0 16
    own = merge(own, subgroupBroadcast(mine{q / 8}, {q % 8}u), s{q}_0, s{q}_1);
    //#end
  }
  store_rows(from_row, own);
}
