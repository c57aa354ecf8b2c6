// Tile for any adapter: addresses of centres are uniform over the lanes.

var<workgroup> bits_of: array<u32, LANES>;

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;

fn load_packed(at: u32) -> vec4f {
  return packed[at];
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let t = (wid.y * grid.x + wid.x) * LANES + lane;
  let panel = min(t >> 3u, params.panels - 1u);
  let own = t & 7u;
  let from_row = panel * 64u + own * 8u;
  let first_at = panel * params.axes4 * 64u + own;
  let limit0 = limit4(from_row, row_norms[panel * 16u + own * 2u]);
  let limit1 = limit4(from_row + 4u, row_norms[panel * 16u + own * 2u + 1u]);
  let last = params.count - 1u;
  var bits = 0u;
  for (var centre = 0u; centre < params.count; centre += 16u) {
    let i0 = min(centre, last);
    let c0 = i0 * params.axes4;
    let i1 = min(centre + 1u, last);
    let c1 = i1 * params.axes4;
    let i2 = min(centre + 2u, last);
    let c2 = i2 * params.axes4;
    let i3 = min(centre + 3u, last);
    let c3 = i3 * params.axes4;
    let i4 = min(centre + 4u, last);
    let c4 = i4 * params.axes4;
    let i5 = min(centre + 5u, last);
    let c5 = i5 * params.axes4;
    let i6 = min(centre + 6u, last);
    let c6 = i6 * params.axes4;
    let i7 = min(centre + 7u, last);
    let c7 = i7 * params.axes4;
    let i8 = min(centre + 8u, last);
    let c8 = i8 * params.axes4;
    let i9 = min(centre + 9u, last);
    let c9 = i9 * params.axes4;
    let i10 = min(centre + 10u, last);
    let c10 = i10 * params.axes4;
    let i11 = min(centre + 11u, last);
    let c11 = i11 * params.axes4;
    let i12 = min(centre + 12u, last);
    let c12 = i12 * params.axes4;
    let i13 = min(centre + 13u, last);
    let c13 = i13 * params.axes4;
    let i14 = min(centre + 14u, last);
    let c14 = i14 * params.axes4;
    let i15 = min(centre + 15u, last);
    let c15 = i15 * params.axes4;
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
    for (var k = 0u; k < params.axes4; k++) {
      let b0_0 = load_packed(at);
      let b0_1 = load_packed(at + 8u);
      let b1_0 = load_packed(at + 16u);
      let b1_1 = load_packed(at + 24u);
      let b2_0 = load_packed(at + 32u);
      let b2_1 = load_packed(at + 40u);
      let b3_0 = load_packed(at + 48u);
      let b3_1 = load_packed(at + 56u);
      at += 64u;
      let a0 = centres[c0 + k];
      s0_0 = multiply_add(s0_0, b0_0, b1_0, b2_0, b3_0, a0);
      s0_1 = multiply_add(s0_1, b0_1, b1_1, b2_1, b3_1, a0);
      let a1 = centres[c1 + k];
      s1_0 = multiply_add(s1_0, b0_0, b1_0, b2_0, b3_0, a1);
      s1_1 = multiply_add(s1_1, b0_1, b1_1, b2_1, b3_1, a1);
      let a2 = centres[c2 + k];
      s2_0 = multiply_add(s2_0, b0_0, b1_0, b2_0, b3_0, a2);
      s2_1 = multiply_add(s2_1, b0_1, b1_1, b2_1, b3_1, a2);
      let a3 = centres[c3 + k];
      s3_0 = multiply_add(s3_0, b0_0, b1_0, b2_0, b3_0, a3);
      s3_1 = multiply_add(s3_1, b0_1, b1_1, b2_1, b3_1, a3);
      let a4 = centres[c4 + k];
      s4_0 = multiply_add(s4_0, b0_0, b1_0, b2_0, b3_0, a4);
      s4_1 = multiply_add(s4_1, b0_1, b1_1, b2_1, b3_1, a4);
      let a5 = centres[c5 + k];
      s5_0 = multiply_add(s5_0, b0_0, b1_0, b2_0, b3_0, a5);
      s5_1 = multiply_add(s5_1, b0_1, b1_1, b2_1, b3_1, a5);
      let a6 = centres[c6 + k];
      s6_0 = multiply_add(s6_0, b0_0, b1_0, b2_0, b3_0, a6);
      s6_1 = multiply_add(s6_1, b0_1, b1_1, b2_1, b3_1, a6);
      let a7 = centres[c7 + k];
      s7_0 = multiply_add(s7_0, b0_0, b1_0, b2_0, b3_0, a7);
      s7_1 = multiply_add(s7_1, b0_1, b1_1, b2_1, b3_1, a7);
      let a8 = centres[c8 + k];
      s8_0 = multiply_add(s8_0, b0_0, b1_0, b2_0, b3_0, a8);
      s8_1 = multiply_add(s8_1, b0_1, b1_1, b2_1, b3_1, a8);
      let a9 = centres[c9 + k];
      s9_0 = multiply_add(s9_0, b0_0, b1_0, b2_0, b3_0, a9);
      s9_1 = multiply_add(s9_1, b0_1, b1_1, b2_1, b3_1, a9);
      let a10 = centres[c10 + k];
      s10_0 = multiply_add(s10_0, b0_0, b1_0, b2_0, b3_0, a10);
      s10_1 = multiply_add(s10_1, b0_1, b1_1, b2_1, b3_1, a10);
      let a11 = centres[c11 + k];
      s11_0 = multiply_add(s11_0, b0_0, b1_0, b2_0, b3_0, a11);
      s11_1 = multiply_add(s11_1, b0_1, b1_1, b2_1, b3_1, a11);
      let a12 = centres[c12 + k];
      s12_0 = multiply_add(s12_0, b0_0, b1_0, b2_0, b3_0, a12);
      s12_1 = multiply_add(s12_1, b0_1, b1_1, b2_1, b3_1, a12);
      let a13 = centres[c13 + k];
      s13_0 = multiply_add(s13_0, b0_0, b1_0, b2_0, b3_0, a13);
      s13_1 = multiply_add(s13_1, b0_1, b1_1, b2_1, b3_1, a13);
      let a14 = centres[c14 + k];
      s14_0 = multiply_add(s14_0, b0_0, b1_0, b2_0, b3_0, a14);
      s14_1 = multiply_add(s14_1, b0_1, b1_1, b2_1, b3_1, a14);
      let a15 = centres[c15 + k];
      s15_0 = multiply_add(s15_0, b0_0, b1_0, b2_0, b3_0, a15);
      s15_1 = multiply_add(s15_1, b0_1, b1_1, b2_1, b3_1, a15);
    }
    let shift = centre & 16u;
    bits |= bit(shift, centre_norms[i0], s0_0, s0_1, limit0, limit1);
    bits |= bit(shift + 1u, centre_norms[i1], s1_0, s1_1, limit0, limit1);
    bits |= bit(shift + 2u, centre_norms[i2], s2_0, s2_1, limit0, limit1);
    bits |= bit(shift + 3u, centre_norms[i3], s3_0, s3_1, limit0, limit1);
    bits |= bit(shift + 4u, centre_norms[i4], s4_0, s4_1, limit0, limit1);
    bits |= bit(shift + 5u, centre_norms[i5], s5_0, s5_1, limit0, limit1);
    bits |= bit(shift + 6u, centre_norms[i6], s6_0, s6_1, limit0, limit1);
    bits |= bit(shift + 7u, centre_norms[i7], s7_0, s7_1, limit0, limit1);
    bits |= bit(shift + 8u, centre_norms[i8], s8_0, s8_1, limit0, limit1);
    bits |= bit(shift + 9u, centre_norms[i9], s9_0, s9_1, limit0, limit1);
    bits |= bit(shift + 10u, centre_norms[i10], s10_0, s10_1, limit0, limit1);
    bits |= bit(shift + 11u, centre_norms[i11], s11_0, s11_1, limit0, limit1);
    bits |= bit(shift + 12u, centre_norms[i12], s12_0, s12_1, limit0, limit1);
    bits |= bit(shift + 13u, centre_norms[i13], s13_0, s13_1, limit0, limit1);
    bits |= bit(shift + 14u, centre_norms[i14], s14_0, s14_1, limit0, limit1);
    bits |= bit(shift + 15u, centre_norms[i15], s15_0, s15_1, limit0, limit1);
    // The bits past the last centre are as if it came again.
    let left = params.count - (centre & ~31u);
    if (shift == 16u || centre + 16u >= params.count) {
      let mask = select((1u << (left & 31u)) - 1u, 0xffffffffu, left >= 32u);
      bits_of[lane] = bits;
      workgroupBarrier();
      if (own == 0u && panel == t >> 3u) {
        let found = bits_of[lane] | bits_of[lane + 1u] | bits_of[lane + 2u] | bits_of[lane + 3u] |
          bits_of[lane + 4u] | bits_of[lane + 5u] | bits_of[lane + 6u] | bits_of[lane + 7u];
        alive[(params.to + panel) * params.words + (centre >> 5u)] = found & mask;
      }
      workgroupBarrier();
      bits = 0u;
    }
  }
}
