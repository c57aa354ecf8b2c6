// The scores q·b of 16 queries and the 8 rows of a group, in registers of a lane.
//
// queries [Q, stride/4]         row-major, along the bank's axes
// bank    [panels, stride, 16]  in panels; a vec4f holds 4 rows at one dimension
//
// Group g is the 8 rows from 8 g on. Of the `stride` dimensions the first `dim` are
// compared.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;

// Where the values of a query begin.
fn query_at(query: u32) -> u32 {
  return min(query, params.queries - 1u) * params.stride4;
}

fn multiply_add(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return sum + a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

struct Tile {
  s0_0: vec4f,
  s0_1: vec4f,
  s1_0: vec4f,
  s1_1: vec4f,
  s2_0: vec4f,
  s2_1: vec4f,
  s3_0: vec4f,
  s3_1: vec4f,
  s4_0: vec4f,
  s4_1: vec4f,
  s5_0: vec4f,
  s5_1: vec4f,
  s6_0: vec4f,
  s6_1: vec4f,
  s7_0: vec4f,
  s7_1: vec4f,
  s8_0: vec4f,
  s8_1: vec4f,
  s9_0: vec4f,
  s9_1: vec4f,
  s10_0: vec4f,
  s10_1: vec4f,
  s11_0: vec4f,
  s11_1: vec4f,
  s12_0: vec4f,
  s12_1: vec4f,
  s13_0: vec4f,
  s13_1: vec4f,
  s14_0: vec4f,
  s14_1: vec4f,
  s15_0: vec4f,
  s15_1: vec4f,
}
