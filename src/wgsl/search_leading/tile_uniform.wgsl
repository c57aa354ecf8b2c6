@group(0) @binding(1) var<storage, read> bank: array<vec4f>;

const LANES = 64u;

fn load_bank(at: u32) -> vec4f {
  return bank[at];
}

// For any adapter: addresses of queries depend only on the workgroup and the
// loop, so that they are uniform over the lanes.
fn tile_of(query: u32, group: u32, lane: u32) -> Tile {
  let q0 = query_at(query + 0u);
  let q1 = query_at(query + 1u);
  let q2 = query_at(query + 2u);
  let q3 = query_at(query + 3u);
  let q4 = query_at(query + 4u);
  let q5 = query_at(query + 5u);
  let q6 = query_at(query + 6u);
  let q7 = query_at(query + 7u);
  let q8 = query_at(query + 8u);
  let q9 = query_at(query + 9u);
  let q10 = query_at(query + 10u);
  let q11 = query_at(query + 11u);
  let q12 = query_at(query + 12u);
  let q13 = query_at(query + 13u);
  let q14 = query_at(query + 14u);
  let q15 = query_at(query + 15u);
  var t = Tile();
  var at = (group >> 3u) * params.stride4 * 64u + (group & 7u);
  for (var k = 0u; k < params.dim4; k++) {
    let b0_0 = load_bank(at);
    let b0_1 = load_bank(at + 8u);
    let b1_0 = load_bank(at + 16u);
    let b1_1 = load_bank(at + 24u);
    let b2_0 = load_bank(at + 32u);
    let b2_1 = load_bank(at + 40u);
    let b3_0 = load_bank(at + 48u);
    let b3_1 = load_bank(at + 56u);
    at += 64u;
    let a0 = queries[q0 + k];
    t.s0_0 = multiply_add(t.s0_0, a0, b0_0, b1_0, b2_0, b3_0);
    t.s0_1 = multiply_add(t.s0_1, a0, b0_1, b1_1, b2_1, b3_1);
    let a1 = queries[q1 + k];
    t.s1_0 = multiply_add(t.s1_0, a1, b0_0, b1_0, b2_0, b3_0);
    t.s1_1 = multiply_add(t.s1_1, a1, b0_1, b1_1, b2_1, b3_1);
    let a2 = queries[q2 + k];
    t.s2_0 = multiply_add(t.s2_0, a2, b0_0, b1_0, b2_0, b3_0);
    t.s2_1 = multiply_add(t.s2_1, a2, b0_1, b1_1, b2_1, b3_1);
    let a3 = queries[q3 + k];
    t.s3_0 = multiply_add(t.s3_0, a3, b0_0, b1_0, b2_0, b3_0);
    t.s3_1 = multiply_add(t.s3_1, a3, b0_1, b1_1, b2_1, b3_1);
    let a4 = queries[q4 + k];
    t.s4_0 = multiply_add(t.s4_0, a4, b0_0, b1_0, b2_0, b3_0);
    t.s4_1 = multiply_add(t.s4_1, a4, b0_1, b1_1, b2_1, b3_1);
    let a5 = queries[q5 + k];
    t.s5_0 = multiply_add(t.s5_0, a5, b0_0, b1_0, b2_0, b3_0);
    t.s5_1 = multiply_add(t.s5_1, a5, b0_1, b1_1, b2_1, b3_1);
    let a6 = queries[q6 + k];
    t.s6_0 = multiply_add(t.s6_0, a6, b0_0, b1_0, b2_0, b3_0);
    t.s6_1 = multiply_add(t.s6_1, a6, b0_1, b1_1, b2_1, b3_1);
    let a7 = queries[q7 + k];
    t.s7_0 = multiply_add(t.s7_0, a7, b0_0, b1_0, b2_0, b3_0);
    t.s7_1 = multiply_add(t.s7_1, a7, b0_1, b1_1, b2_1, b3_1);
    let a8 = queries[q8 + k];
    t.s8_0 = multiply_add(t.s8_0, a8, b0_0, b1_0, b2_0, b3_0);
    t.s8_1 = multiply_add(t.s8_1, a8, b0_1, b1_1, b2_1, b3_1);
    let a9 = queries[q9 + k];
    t.s9_0 = multiply_add(t.s9_0, a9, b0_0, b1_0, b2_0, b3_0);
    t.s9_1 = multiply_add(t.s9_1, a9, b0_1, b1_1, b2_1, b3_1);
    let a10 = queries[q10 + k];
    t.s10_0 = multiply_add(t.s10_0, a10, b0_0, b1_0, b2_0, b3_0);
    t.s10_1 = multiply_add(t.s10_1, a10, b0_1, b1_1, b2_1, b3_1);
    let a11 = queries[q11 + k];
    t.s11_0 = multiply_add(t.s11_0, a11, b0_0, b1_0, b2_0, b3_0);
    t.s11_1 = multiply_add(t.s11_1, a11, b0_1, b1_1, b2_1, b3_1);
    let a12 = queries[q12 + k];
    t.s12_0 = multiply_add(t.s12_0, a12, b0_0, b1_0, b2_0, b3_0);
    t.s12_1 = multiply_add(t.s12_1, a12, b0_1, b1_1, b2_1, b3_1);
    let a13 = queries[q13 + k];
    t.s13_0 = multiply_add(t.s13_0, a13, b0_0, b1_0, b2_0, b3_0);
    t.s13_1 = multiply_add(t.s13_1, a13, b0_1, b1_1, b2_1, b3_1);
    let a14 = queries[q14 + k];
    t.s14_0 = multiply_add(t.s14_0, a14, b0_0, b1_0, b2_0, b3_0);
    t.s14_1 = multiply_add(t.s14_1, a14, b0_1, b1_1, b2_1, b3_1);
    let a15 = queries[q15 + k];
    t.s15_0 = multiply_add(t.s15_0, a15, b0_0, b1_0, b2_0, b3_0);
    t.s15_1 = multiply_add(t.s15_1, a15, b0_1, b1_1, b2_1, b3_1);
  }
  return t;
}
