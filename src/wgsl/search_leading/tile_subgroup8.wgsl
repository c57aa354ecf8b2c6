@group(0) @binding(0) var<storage, read> queries: array<f32>;

const LANES = 8u;

// For subgroups of exactly 8 lanes (llvmpipe): every lane loads two queries'
// values and the others get them by subgroupBroadcast, since a load costs per
// lane there and a broadcast next to nothing.
fn tile_of(query: u32, group: u32, lane: u32) -> Tile {
  let tile = query / 64u;
  // Query 16 t + r of a panel is component r % 4 of vec4f (r / 4 % 2) * 8 + 2 t + r / 8.
  let column = ((lane >> 2u) * 8u + (query / 16u % 4u) * 2u) * 4u + (lane & 3u);
  var t = Tile();
  var at = (group >> 3u) * params.stride * 16u + (group & 7u);
  var q = tile * params.stride * 64u + column;
  for (var k = 0u; k < params.dim; k++) {
    let b0 = bank[at];
    let b1 = bank[at + 8u];
    at += 16u;
    let x0 = queries[q];
    let x1 = queries[q + 4u];
    q += 64u;
    let a0 = subgroupBroadcast(x0, 0u);
    t.s0_0 += a0 * b0;
    t.s0_1 += a0 * b1;
    let a1 = subgroupBroadcast(x0, 1u);
    t.s1_0 += a1 * b0;
    t.s1_1 += a1 * b1;
    let a2 = subgroupBroadcast(x0, 2u);
    t.s2_0 += a2 * b0;
    t.s2_1 += a2 * b1;
    let a3 = subgroupBroadcast(x0, 3u);
    t.s3_0 += a3 * b0;
    t.s3_1 += a3 * b1;
    let a4 = subgroupBroadcast(x0, 4u);
    t.s4_0 += a4 * b0;
    t.s4_1 += a4 * b1;
    let a5 = subgroupBroadcast(x0, 5u);
    t.s5_0 += a5 * b0;
    t.s5_1 += a5 * b1;
    let a6 = subgroupBroadcast(x0, 6u);
    t.s6_0 += a6 * b0;
    t.s6_1 += a6 * b1;
    let a7 = subgroupBroadcast(x0, 7u);
    t.s7_0 += a7 * b0;
    t.s7_1 += a7 * b1;
    let a8 = subgroupBroadcast(x1, 0u);
    t.s8_0 += a8 * b0;
    t.s8_1 += a8 * b1;
    let a9 = subgroupBroadcast(x1, 1u);
    t.s9_0 += a9 * b0;
    t.s9_1 += a9 * b1;
    let a10 = subgroupBroadcast(x1, 2u);
    t.s10_0 += a10 * b0;
    t.s10_1 += a10 * b1;
    let a11 = subgroupBroadcast(x1, 3u);
    t.s11_0 += a11 * b0;
    t.s11_1 += a11 * b1;
    let a12 = subgroupBroadcast(x1, 4u);
    t.s12_0 += a12 * b0;
    t.s12_1 += a12 * b1;
    let a13 = subgroupBroadcast(x1, 5u);
    t.s13_0 += a13 * b0;
    t.s13_1 += a13 * b1;
    let a14 = subgroupBroadcast(x1, 6u);
    t.s14_0 += a14 * b0;
    t.s14_1 += a14 * b1;
    let a15 = subgroupBroadcast(x1, 7u);
    t.s15_0 += a15 * b0;
    t.s15_1 += a15 * b1;
  }
  return t;
}
