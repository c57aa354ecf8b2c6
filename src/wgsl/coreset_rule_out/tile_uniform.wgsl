// Tile for any adapter: addresses of centres are uniform over the lanes.
//# Written out for 16 centres.

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
    //#for q 1 16
    let i{q} = min(centre + {q}u, last);
    let c{q} = i{q} * params.axes4;
    //#end
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
      //#for q 0 16
      let a{q} = centres[c{q} + k];
      s{q}_0 = multiply_add(s{q}_0, b0_0, b1_0, b2_0, b3_0, a{q});
      s{q}_1 = multiply_add(s{q}_1, b0_1, b1_1, b2_1, b3_1, a{q});
      //#end
    }
    let shift = centre & 16u;
    bits |= bit(shift, centre_norms[i0], s0_0, s0_1, limit0, limit1);
    //#for q 1 16
    bits |= bit(shift + {q}u, centre_norms[i{q}], s{q}_0, s{q}_1, limit0, limit1);
    //#end
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
