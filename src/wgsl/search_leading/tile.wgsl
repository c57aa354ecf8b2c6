// The scores q·b of 16 queries and the 8 rows of a group, in registers of a lane.
//
// queries [tiles, stride, 64]   in panels (see pack_rows), shifted as the bank
// bank    [panels, stride, 16]  in panels; a vec4f holds 4 rows at one dimension
//
// Group g is the 8 rows from 8 g on. Of the `stride` dimensions the first `dim` are
// compared.

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
