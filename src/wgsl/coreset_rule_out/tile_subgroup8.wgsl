// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two centres
// and the others get them by subgroupBroadcast.
//# Written out for 16 centres.

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
    //#for q 0 16
    var s{q}_0 = vec4f();
    var s{q}_1 = vec4f();
    //#end
    var at = first_at;
    for (var k = 0u; k < params.axes4; k++) {
      let b0_0 = load_packed(at);
      //#for q 1 8
      let b{q / 2}_{q % 2} = load_packed(at + {8 * q}u);
      //#end
      at += 64u;
      let x0 = centres[c0 + k];
      let x1 = centres[c1 + k];
      //#for q 0 16
      let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
      s{q}_0 = multiply_add(s{q}_0, b0_0, b1_0, b2_0, b3_0, a{q});
      s{q}_1 = multiply_add(s{q}_1, b0_1, b1_1, b2_1, b3_1, a{q});
      //#end
    }
    let norm0 = centre_norms[mine0];
    let norm1 = centre_norms[mine1];
    let shift = centre & 16u;
    bits |= bit(shift, subgroupBroadcast(norm0, 0u), s0_0, s0_1, limit0, limit1);
    //#for q 1 16
    bits |= bit(shift + {q}u, subgroupBroadcast(norm{q / 8}, {q % 8}u), s{q}_0, s{q}_1, limit0, limit1);
    //#end
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
