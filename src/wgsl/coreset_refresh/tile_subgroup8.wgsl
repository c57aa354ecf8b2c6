// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two centres
// and the others get them by subgroupBroadcast.

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
    var s0_0 = vec4f();
    var s0_1 = vec4f();
    var s1_0 = vec4f();
    var s1_1 = vec4f();
    var s2_0 = vec4f();
    var s2_1 = vec4f();
    var s3_0 = vec4f();
    var s3_1 = vec4f();
    var s4_0 = vec4f();
    var s4_1 = vec4f();
    var s5_0 = vec4f();
    var s5_1 = vec4f();
    var s6_0 = vec4f();
    var s6_1 = vec4f();
    var s7_0 = vec4f();
    var s7_1 = vec4f();
    var s8_0 = vec4f();
    var s8_1 = vec4f();
    var s9_0 = vec4f();
    var s9_1 = vec4f();
    var s10_0 = vec4f();
    var s10_1 = vec4f();
    var s11_0 = vec4f();
    var s11_1 = vec4f();
    var s12_0 = vec4f();
    var s12_1 = vec4f();
    var s13_0 = vec4f();
    var s13_1 = vec4f();
    var s14_0 = vec4f();
    var s14_1 = vec4f();
    var s15_0 = vec4f();
    var s15_1 = vec4f();
    var at = first_at;
    for (var k = 0u; k < params.dim4; k++) {
      let b0_0 = packed[at];
      let b0_1 = packed[at + 8u];
      let b1_0 = packed[at + 16u];
      let b1_1 = packed[at + 24u];
      let b2_0 = packed[at + 32u];
      let b2_1 = packed[at + 40u];
      let b3_0 = packed[at + 48u];
      let b3_1 = packed[at + 56u];
      at += 64u;
      let x0 = centres[c0 + k];
      let x1 = centres[c1 + k];
      let a0 = subgroupBroadcast(x0, 0u);
      s0_0 = add4(s0_0, b0_0, b1_0, b2_0, b3_0, a0);
      s0_1 = add4(s0_1, b0_1, b1_1, b2_1, b3_1, a0);
      let a1 = subgroupBroadcast(x0, 1u);
      s1_0 = add4(s1_0, b0_0, b1_0, b2_0, b3_0, a1);
      s1_1 = add4(s1_1, b0_1, b1_1, b2_1, b3_1, a1);
      let a2 = subgroupBroadcast(x0, 2u);
      s2_0 = add4(s2_0, b0_0, b1_0, b2_0, b3_0, a2);
      s2_1 = add4(s2_1, b0_1, b1_1, b2_1, b3_1, a2);
      let a3 = subgroupBroadcast(x0, 3u);
      s3_0 = add4(s3_0, b0_0, b1_0, b2_0, b3_0, a3);
      s3_1 = add4(s3_1, b0_1, b1_1, b2_1, b3_1, a3);
      let a4 = subgroupBroadcast(x0, 4u);
      s4_0 = add4(s4_0, b0_0, b1_0, b2_0, b3_0, a4);
      s4_1 = add4(s4_1, b0_1, b1_1, b2_1, b3_1, a4);
      let a5 = subgroupBroadcast(x0, 5u);
      s5_0 = add4(s5_0, b0_0, b1_0, b2_0, b3_0, a5);
      s5_1 = add4(s5_1, b0_1, b1_1, b2_1, b3_1, a5);
      let a6 = subgroupBroadcast(x0, 6u);
      s6_0 = add4(s6_0, b0_0, b1_0, b2_0, b3_0, a6);
      s6_1 = add4(s6_1, b0_1, b1_1, b2_1, b3_1, a6);
      let a7 = subgroupBroadcast(x0, 7u);
      s7_0 = add4(s7_0, b0_0, b1_0, b2_0, b3_0, a7);
      s7_1 = add4(s7_1, b0_1, b1_1, b2_1, b3_1, a7);
      let a8 = subgroupBroadcast(x1, 0u);
      s8_0 = add4(s8_0, b0_0, b1_0, b2_0, b3_0, a8);
      s8_1 = add4(s8_1, b0_1, b1_1, b2_1, b3_1, a8);
      let a9 = subgroupBroadcast(x1, 1u);
      s9_0 = add4(s9_0, b0_0, b1_0, b2_0, b3_0, a9);
      s9_1 = add4(s9_1, b0_1, b1_1, b2_1, b3_1, a9);
      let a10 = subgroupBroadcast(x1, 2u);
      s10_0 = add4(s10_0, b0_0, b1_0, b2_0, b3_0, a10);
      s10_1 = add4(s10_1, b0_1, b1_1, b2_1, b3_1, a10);
      let a11 = subgroupBroadcast(x1, 3u);
      s11_0 = add4(s11_0, b0_0, b1_0, b2_0, b3_0, a11);
      s11_1 = add4(s11_1, b0_1, b1_1, b2_1, b3_1, a11);
      let a12 = subgroupBroadcast(x1, 4u);
      s12_0 = add4(s12_0, b0_0, b1_0, b2_0, b3_0, a12);
      s12_1 = add4(s12_1, b0_1, b1_1, b2_1, b3_1, a12);
      let a13 = subgroupBroadcast(x1, 5u);
      s13_0 = add4(s13_0, b0_0, b1_0, b2_0, b3_0, a13);
      s13_1 = add4(s13_1, b0_1, b1_1, b2_1, b3_1, a13);
      let a14 = subgroupBroadcast(x1, 6u);
      s14_0 = add4(s14_0, b0_0, b1_0, b2_0, b3_0, a14);
      s14_1 = add4(s14_1, b0_1, b1_1, b2_1, b3_1, a14);
      let a15 = subgroupBroadcast(x1, 7u);
      s15_0 = add4(s15_0, b0_0, b1_0, b2_0, b3_0, a15);
      s15_1 = add4(s15_1, b0_1, b1_1, b2_1, b3_1, a15);
    }
    own = merge(own, subgroupBroadcast(mine0, 0u), s0_0, s0_1);
    own = merge(own, subgroupBroadcast(mine0, 1u), s1_0, s1_1);
    own = merge(own, subgroupBroadcast(mine0, 2u), s2_0, s2_1);
    own = merge(own, subgroupBroadcast(mine0, 3u), s3_0, s3_1);
    own = merge(own, subgroupBroadcast(mine0, 4u), s4_0, s4_1);
    own = merge(own, subgroupBroadcast(mine0, 5u), s5_0, s5_1);
    own = merge(own, subgroupBroadcast(mine0, 6u), s6_0, s6_1);
    own = merge(own, subgroupBroadcast(mine0, 7u), s7_0, s7_1);
    own = merge(own, subgroupBroadcast(mine1, 0u), s8_0, s8_1);
    own = merge(own, subgroupBroadcast(mine1, 1u), s9_0, s9_1);
    own = merge(own, subgroupBroadcast(mine1, 2u), s10_0, s10_1);
    own = merge(own, subgroupBroadcast(mine1, 3u), s11_0, s11_1);
    own = merge(own, subgroupBroadcast(mine1, 4u), s12_0, s12_1);
    own = merge(own, subgroupBroadcast(mine1, 5u), s13_0, s13_1);
    own = merge(own, subgroupBroadcast(mine1, 6u), s14_0, s14_1);
    own = merge(own, subgroupBroadcast(mine1, 7u), s15_0, s15_1);
  }
  store_rows(from_row, own);
}
