// The scores q·b of 16 queries and the 8 rows of a group, in registers of a lane.
//
// queries [Q, stride/4]         row-major, along the bank's axes
// bank    [panels, stride, 16]  in panels; a vec4f holds 4 rows at one dimension
//
// Group g is the 8 rows from 8 g on. Of the `stride` dimensions the first `dim` are
// compared.
//# Written out for 16 queries.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;

// Where the values of a query begin.
fn query_at(query: u32) -> u32 {
  return min(query, params.queries - 1u) * params.stride4;
}

fn multiply_add(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return sum + a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

struct Tile {
  //#for q 0 16
  s{q}_0: vec4f,
  s{q}_1: vec4f,
  //#end
}
