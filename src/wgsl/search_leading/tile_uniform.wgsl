@group(0) @binding(0) var<storage, read> queries: array<vec4f>;

const LANES = 64u;

// For any adapter: addresses of queries depend only on the workgroup and the
// loop, so that they are uniform over the lanes.
fn tile_of(query: u32, group: u32, lane: u32) -> Tile {
  let tile = query / 64u;
  let column = (query / 16u % 4u) * 2u;
  var t = Tile();
  var at = (group >> 3u) * params.stride * 16u + (group & 7u);
  var q = tile * params.stride * 16u + column;
  for (var k = 0u; k < params.dim; k++) {
    let b0 = bank[at];
    let b1 = bank[at + 8u];
    at += 16u;
    let x0 = queries[q];
    let x1 = queries[q + 8u];
    let x2 = queries[q + 1u];
    let x3 = queries[q + 9u];
    q += 16u;
    t.s0_0 += x0.x * b0;
    t.s0_1 += x0.x * b1;
    t.s1_0 += x0.y * b0;
    t.s1_1 += x0.y * b1;
    t.s2_0 += x0.z * b0;
    t.s2_1 += x0.z * b1;
    t.s3_0 += x0.w * b0;
    t.s3_1 += x0.w * b1;
    t.s4_0 += x1.x * b0;
    t.s4_1 += x1.x * b1;
    t.s5_0 += x1.y * b0;
    t.s5_1 += x1.y * b1;
    t.s6_0 += x1.z * b0;
    t.s6_1 += x1.z * b1;
    t.s7_0 += x1.w * b0;
    t.s7_1 += x1.w * b1;
    t.s8_0 += x2.x * b0;
    t.s8_1 += x2.x * b1;
    t.s9_0 += x2.y * b0;
    t.s9_1 += x2.y * b1;
    t.s10_0 += x2.z * b0;
    t.s10_1 += x2.z * b1;
    t.s11_0 += x2.w * b0;
    t.s11_1 += x2.w * b1;
    t.s12_0 += x3.x * b0;
    t.s12_1 += x3.x * b1;
    t.s13_0 += x3.y * b0;
    t.s13_1 += x3.y * b1;
    t.s14_0 += x3.z * b0;
    t.s14_1 += x3.z * b1;
    t.s15_0 += x3.w * b0;
    t.s15_1 += x3.w * b1;
  }
  return t;
}
