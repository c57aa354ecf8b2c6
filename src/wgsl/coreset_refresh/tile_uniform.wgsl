// Tile for any adapter: addresses of centres are the same for a panel's 8 lanes.
//# Written out for 16 centres.

// The next after `centre`, or `centre` once more when it was the last.
fn later(panel: u32, centre: u32) -> u32 {
  let next = next_centre(panel, centre + 1u);
  return select(centre, next, next < params.end);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let t = (wid.y * grid.x + wid.x) * LANES + lane;
  let panel = t >> 3u;
  if (panel >= params.panels) {
    return;
  }
  let from_row = panel * 64u + (t & 7u) * 8u;
  let first_at = panel * params.dim4 * 64u + (t & 7u);
  var own = load_rows(from_row);
  var i0 = next_centre(panel, params.first);
  while (i0 < params.end) {
    //#for q 1 16
    let i{q} = later(panel, i{q - 1});
    //#end
    //#for q 0 16
    let c{q} = i{q} * params.dim4;
    //#end
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
      //#for q 0 16
      let a{q} = centres[c{q} + k];
      s{q}_0 = add4(s{q}_0, b0_0, b1_0, b2_0, b3_0, a{q});
      s{q}_1 = add4(s{q}_1, b0_1, b1_1, b2_1, b3_1, a{q});
      //#end
    }
    //#for q 0 16
    own = merge(own, i{q}, s{q}_0, s{q}_1);
    //#end
    i0 = next_centre(panel, i15 + 1u);
  }
  store_rows(from_row, own);
}
