// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two centres
// and the others get them by subgroupBroadcast.

@group(0) @binding(0) var packed: texture_storage_2d<rgba32float, read>;

fn load_packed(at: u32) -> vec4f {
  return textureLoad(packed, vec2u(at & 1023u, at >> 10u));
}

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
  let own = lane;
  let from_row = panel * 64u + own * 8u;
  let first_at = panel * params.axes4 * 64u + own;
  let limit0 = limit4(from_row, row_norms[panel * 16u + own * 2u]);
  let limit1 = limit4(from_row + 4u, row_norms[panel * 16u + own * 2u + 1u]);
  let last = params.count - 1u;
  var bits = 0u;
  for (var centre = 0u; centre < params.count; centre += 16u) {
    let mine0 = min(centre + lane, last);
    let mine1 = min(centre + 8u + lane, last);
    let c0 = mine0 * params.axes4;
    let c1 = mine1 * params.axes4;
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
      let x0 = centres[c0 + k];
      let x1 = centres[c1 + k];
      let a0 = subgroupBroadcast(x0, 0u);
      s0_0 = multiply_add(s0_0, b0_0, b1_0, b2_0, b3_0, a0);
      s0_1 = multiply_add(s0_1, b0_1, b1_1, b2_1, b3_1, a0);
      let a1 = subgroupBroadcast(x0, 1u);
      s1_0 = multiply_add(s1_0, b0_0, b1_0, b2_0, b3_0, a1);
      s1_1 = multiply_add(s1_1, b0_1, b1_1, b2_1, b3_1, a1);
      let a2 = subgroupBroadcast(x0, 2u);
      s2_0 = multiply_add(s2_0, b0_0, b1_0, b2_0, b3_0, a2);
      s2_1 = multiply_add(s2_1, b0_1, b1_1, b2_1, b3_1, a2);
      let a3 = subgroupBroadcast(x0, 3u);
      s3_0 = multiply_add(s3_0, b0_0, b1_0, b2_0, b3_0, a3);
      s3_1 = multiply_add(s3_1, b0_1, b1_1, b2_1, b3_1, a3);
      let a4 = subgroupBroadcast(x0, 4u);
      s4_0 = multiply_add(s4_0, b0_0, b1_0, b2_0, b3_0, a4);
      s4_1 = multiply_add(s4_1, b0_1, b1_1, b2_1, b3_1, a4);
      let a5 = subgroupBroadcast(x0, 5u);
      s5_0 = multiply_add(s5_0, b0_0, b1_0, b2_0, b3_0, a5);
      s5_1 = multiply_add(s5_1, b0_1, b1_1, b2_1, b3_1, a5);
      let a6 = subgroupBroadcast(x0, 6u);
      s6_0 = multiply_add(s6_0, b0_0, b1_0, b2_0, b3_0, a6);
      s6_1 = multiply_add(s6_1, b0_1, b1_1, b2_1, b3_1, a6);
      let a7 = subgroupBroadcast(x0, 7u);
      s7_0 = multiply_add(s7_0, b0_0, b1_0, b2_0, b3_0, a7);
      s7_1 = multiply_add(s7_1, b0_1, b1_1, b2_1, b3_1, a7);
      let a8 = subgroupBroadcast(x1, 0u);
      s8_0 = multiply_add(s8_0, b0_0, b1_0, b2_0, b3_0, a8);
      s8_1 = multiply_add(s8_1, b0_1, b1_1, b2_1, b3_1, a8);
      let a9 = subgroupBroadcast(x1, 1u);
      s9_0 = multiply_add(s9_0, b0_0, b1_0, b2_0, b3_0, a9);
      s9_1 = multiply_add(s9_1, b0_1, b1_1, b2_1, b3_1, a9);
      let a10 = subgroupBroadcast(x1, 2u);
      s10_0 = multiply_add(s10_0, b0_0, b1_0, b2_0, b3_0, a10);
      s10_1 = multiply_add(s10_1, b0_1, b1_1, b2_1, b3_1, a10);
      let a11 = subgroupBroadcast(x1, 3u);
      s11_0 = multiply_add(s11_0, b0_0, b1_0, b2_0, b3_0, a11);
      s11_1 = multiply_add(s11_1, b0_1, b1_1, b2_1, b3_1, a11);
      let a12 = subgroupBroadcast(x1, 4u);
      s12_0 = multiply_add(s12_0, b0_0, b1_0, b2_0, b3_0, a12);
      s12_1 = multiply_add(s12_1, b0_1, b1_1, b2_1, b3_1, a12);
      let a13 = subgroupBroadcast(x1, 5u);
      s13_0 = multiply_add(s13_0, b0_0, b1_0, b2_0, b3_0, a13);
      s13_1 = multiply_add(s13_1, b0_1, b1_1, b2_1, b3_1, a13);
      let a14 = subgroupBroadcast(x1, 6u);
      s14_0 = multiply_add(s14_0, b0_0, b1_0, b2_0, b3_0, a14);
      s14_1 = multiply_add(s14_1, b0_1, b1_1, b2_1, b3_1, a14);
      let a15 = subgroupBroadcast(x1, 7u);
      s15_0 = multiply_add(s15_0, b0_0, b1_0, b2_0, b3_0, a15);
      s15_1 = multiply_add(s15_1, b0_1, b1_1, b2_1, b3_1, a15);
    }
    let norm0 = centre_norms[mine0];
    let norm1 = centre_norms[mine1];
    let shift = centre & 16u;
    bits |= bit(shift, subgroupBroadcast(norm0, 0u), s0_0, s0_1, limit0, limit1);
    bits |= bit(shift + 1u, subgroupBroadcast(norm0, 1u), s1_0, s1_1, limit0, limit1);
    bits |= bit(shift + 2u, subgroupBroadcast(norm0, 2u), s2_0, s2_1, limit0, limit1);
    bits |= bit(shift + 3u, subgroupBroadcast(norm0, 3u), s3_0, s3_1, limit0, limit1);
    bits |= bit(shift + 4u, subgroupBroadcast(norm0, 4u), s4_0, s4_1, limit0, limit1);
    bits |= bit(shift + 5u, subgroupBroadcast(norm0, 5u), s5_0, s5_1, limit0, limit1);
    bits |= bit(shift + 6u, subgroupBroadcast(norm0, 6u), s6_0, s6_1, limit0, limit1);
    bits |= bit(shift + 7u, subgroupBroadcast(norm0, 7u), s7_0, s7_1, limit0, limit1);
    bits |= bit(shift + 8u, subgroupBroadcast(norm1, 0u), s8_0, s8_1, limit0, limit1);
    bits |= bit(shift + 9u, subgroupBroadcast(norm1, 1u), s9_0, s9_1, limit0, limit1);
    bits |= bit(shift + 10u, subgroupBroadcast(norm1, 2u), s10_0, s10_1, limit0, limit1);
    bits |= bit(shift + 11u, subgroupBroadcast(norm1, 3u), s11_0, s11_1, limit0, limit1);
    bits |= bit(shift + 12u, subgroupBroadcast(norm1, 4u), s12_0, s12_1, limit0, limit1);
    bits |= bit(shift + 13u, subgroupBroadcast(norm1, 5u), s13_0, s13_1, limit0, limit1);
    bits |= bit(shift + 14u, subgroupBroadcast(norm1, 6u), s14_0, s14_1, limit0, limit1);
    bits |= bit(shift + 15u, subgroupBroadcast(norm1, 7u), s15_0, s15_1, limit0, limit1);
    // The bits past the last centre are as if it came again.
    let left = params.count - (centre & ~31u);
    if (shift == 16u || centre + 16u >= params.count) {
      let mask = select((1u << (left & 31u)) - 1u, 0xffffffffu, left >= 32u);
      let found = subgroupOr(bits) & mask;
      if (lane == 0u) {
        alive[(params.to + panel) * params.words + (centre >> 5u)] = found;
      }
      bits = 0u;
    }
  }
}
