// Tile for any adapter: addresses of centres are the same for a panel's 8 lanes.

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
    let i1 = later(panel, i0);
    let i2 = later(panel, i1);
    let i3 = later(panel, i2);
    let i4 = later(panel, i3);
    let i5 = later(panel, i4);
    let i6 = later(panel, i5);
    let i7 = later(panel, i6);
    let i8 = later(panel, i7);
    let i9 = later(panel, i8);
    let i10 = later(panel, i9);
    let i11 = later(panel, i10);
    let i12 = later(panel, i11);
    let i13 = later(panel, i12);
    let i14 = later(panel, i13);
    let i15 = later(panel, i14);
    let c0 = i0 * params.dim4;
    let c1 = i1 * params.dim4;
    let c2 = i2 * params.dim4;
    let c3 = i3 * params.dim4;
    let c4 = i4 * params.dim4;
    let c5 = i5 * params.dim4;
    let c6 = i6 * params.dim4;
    let c7 = i7 * params.dim4;
    let c8 = i8 * params.dim4;
    let c9 = i9 * params.dim4;
    let c10 = i10 * params.dim4;
    let c11 = i11 * params.dim4;
    let c12 = i12 * params.dim4;
    let c13 = i13 * params.dim4;
    let c14 = i14 * params.dim4;
    let c15 = i15 * params.dim4;
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
      let a0 = centres[c0 + k];
      s0_0 = add4(s0_0, b0_0, b1_0, b2_0, b3_0, a0);
      s0_1 = add4(s0_1, b0_1, b1_1, b2_1, b3_1, a0);
      let a1 = centres[c1 + k];
      s1_0 = add4(s1_0, b0_0, b1_0, b2_0, b3_0, a1);
      s1_1 = add4(s1_1, b0_1, b1_1, b2_1, b3_1, a1);
      let a2 = centres[c2 + k];
      s2_0 = add4(s2_0, b0_0, b1_0, b2_0, b3_0, a2);
      s2_1 = add4(s2_1, b0_1, b1_1, b2_1, b3_1, a2);
      let a3 = centres[c3 + k];
      s3_0 = add4(s3_0, b0_0, b1_0, b2_0, b3_0, a3);
      s3_1 = add4(s3_1, b0_1, b1_1, b2_1, b3_1, a3);
      let a4 = centres[c4 + k];
      s4_0 = add4(s4_0, b0_0, b1_0, b2_0, b3_0, a4);
      s4_1 = add4(s4_1, b0_1, b1_1, b2_1, b3_1, a4);
      let a5 = centres[c5 + k];
      s5_0 = add4(s5_0, b0_0, b1_0, b2_0, b3_0, a5);
      s5_1 = add4(s5_1, b0_1, b1_1, b2_1, b3_1, a5);
      let a6 = centres[c6 + k];
      s6_0 = add4(s6_0, b0_0, b1_0, b2_0, b3_0, a6);
      s6_1 = add4(s6_1, b0_1, b1_1, b2_1, b3_1, a6);
      let a7 = centres[c7 + k];
      s7_0 = add4(s7_0, b0_0, b1_0, b2_0, b3_0, a7);
      s7_1 = add4(s7_1, b0_1, b1_1, b2_1, b3_1, a7);
      let a8 = centres[c8 + k];
      s8_0 = add4(s8_0, b0_0, b1_0, b2_0, b3_0, a8);
      s8_1 = add4(s8_1, b0_1, b1_1, b2_1, b3_1, a8);
      let a9 = centres[c9 + k];
      s9_0 = add4(s9_0, b0_0, b1_0, b2_0, b3_0, a9);
      s9_1 = add4(s9_1, b0_1, b1_1, b2_1, b3_1, a9);
      let a10 = centres[c10 + k];
      s10_0 = add4(s10_0, b0_0, b1_0, b2_0, b3_0, a10);
      s10_1 = add4(s10_1, b0_1, b1_1, b2_1, b3_1, a10);
      let a11 = centres[c11 + k];
      s11_0 = add4(s11_0, b0_0, b1_0, b2_0, b3_0, a11);
      s11_1 = add4(s11_1, b0_1, b1_1, b2_1, b3_1, a11);
      let a12 = centres[c12 + k];
      s12_0 = add4(s12_0, b0_0, b1_0, b2_0, b3_0, a12);
      s12_1 = add4(s12_1, b0_1, b1_1, b2_1, b3_1, a12);
      let a13 = centres[c13 + k];
      s13_0 = add4(s13_0, b0_0, b1_0, b2_0, b3_0, a13);
      s13_1 = add4(s13_1, b0_1, b1_1, b2_1, b3_1, a13);
      let a14 = centres[c14 + k];
      s14_0 = add4(s14_0, b0_0, b1_0, b2_0, b3_0, a14);
      s14_1 = add4(s14_1, b0_1, b1_1, b2_1, b3_1, a14);
      let a15 = centres[c15 + k];
      s15_0 = add4(s15_0, b0_0, b1_0, b2_0, b3_0, a15);
      s15_1 = add4(s15_1, b0_1, b1_1, b2_1, b3_1, a15);
    }
    own = merge(own, i0, s0_0, s0_1);
    own = merge(own, i1, s1_0, s1_1);
    own = merge(own, i2, s2_0, s2_1);
    own = merge(own, i3, s3_0, s3_1);
    own = merge(own, i4, s4_0, s4_1);
    own = merge(own, i5, s5_0, s5_1);
    own = merge(own, i6, s6_0, s6_1);
    own = merge(own, i7, s7_0, s7_1);
    own = merge(own, i8, s8_0, s8_1);
    own = merge(own, i9, s9_0, s9_1);
    own = merge(own, i10, s10_0, s10_1);
    own = merge(own, i11, s11_0, s11_1);
    own = merge(own, i12, s12_0, s12_1);
    own = merge(own, i13, s13_0, s13_1);
    own = merge(own, i14, s14_0, s14_1);
    own = merge(own, i15, s15_0, s15_1);
    i0 = next_centre(panel, i15 + 1u);
  }
  store_rows(from_row, own);
}
