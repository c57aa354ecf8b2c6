const LANES = 64u;

// For any adapter: addresses of queries depend only on the workgroup and the
// loop, so that they are uniform over the lanes.
//# Written out for 16 queries.
fn tile_of(query: u32, group: u32, lane: u32) -> Tile {
  //#for q 0 16
  let q{q} = query_at(query + {q}u);
  //#end
  var t = Tile();
  var at = (group >> 3u) * params.stride4 * 64u + (group & 7u);
  for (var k = 0u; k < params.dim4; k++) {
    //#use bank_rows
    //#for q 0 16
    let a{q} = queries[q{q} + k];
    t.s{q}_0 = multiply_add(t.s{q}_0, a{q}, b0_0, b1_0, b2_0, b3_0);
    t.s{q}_1 = multiply_add(t.s{q}_1, a{q}, b0_1, b1_1, b2_1, b3_1);
    //#end
  }
  return t;
}
