const LANES = 8u;

// For subgroups of exactly 8 lanes (llvmpipe): every lane loads two queries'
// values and the others get them by subgroupBroadcast, since a load costs per
// lane there and a broadcast next to nothing.
//# Written out for 16 queries.
fn tile_of(query: u32, group: u32, lane: u32) -> Tile {
  let q0 = query_at(query + lane);
  let q1 = query_at(query + 8u + lane);
  var t = Tile();
  var at = (group >> 3u) * params.stride4 * 64u + (group & 7u);
  for (var k = 0u; k < params.dim4; k++) {
    //#use bank_rows
    let x0 = queries[q0 + k];
    let x1 = queries[q1 + k];
    //#for q 0 16
    let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
    t.s{q}_0 = multiply_add(t.s{q}_0, a{q}, b0_0, b1_0, b2_0, b3_0);
    t.s{q}_1 = multiply_add(t.s{q}_1, a{q}, b0_1, b1_1, b2_1, b3_1);
    //#end
  }
  return t;
}
