// search_groups: least[q, g] = min over the rows b of group g of |b|² − 2 q·b
//
// queries [Q, D/4]            row-major, shifted as the bank
// bank    [panels, D, 16]     in panels; a vec4f holds 4 rows at one dimension
// norms   [panels, 64]        |b|², FAR for rows past the end
// images  [panels, 64]        image of each row, read when EXCLUDE
// query_images [Q]            image whose rows a query must not find
// least   [Q, G]              FAR where a group has no row to find
//
// Group g of a dispatch is 8 consecutive rows in each of panels_per_group
// panels: lane g % 8 of the panels g / 8 * panels_per_group and following.
// One workgroup takes some queries and as many groups as it has lanes: a lane
// has the scores of the queries and its 8 rows in registers.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(2) var<storage, read> norms: array<vec4f>;
@group(0) @binding(3) var<storage, read> images: array<vec4u>;
@group(0) @binding(4) var<storage, read> query_images: array<u32>;
@group(0) @binding(5) var<storage, read_write> least: array<f32>;

struct Params {
  queries: u32,
  dim4: u32,
  panels: u32,
  panels_per_group: u32,
  groups: u32,
}
@group(0) @binding(6) var<uniform> params: Params;

override EXCLUDE: bool = false;

const FAR = 3e38;

// Where the values of a query begin.
fn query_at(query: u32) -> u32 {
  return min(query, params.queries - 1u) * params.dim4;
}

fn multiply_add(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return sum + a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

fn images_of(column: u32) -> vec4u {
  if (EXCLUDE) {
    return images[column];
  }
  return vec4u();
}

// See BankSearch: an image's queries do not find its own rows, nor those that
// only another image's queries find (the highest bit).
fn left_out(images: vec4u, own: vec4u) -> vec4<bool> {
  return (images ^ own) - 1u >= vec4u(0x80000000u);
}

fn nearest(query: u32, s0: vec4f, s1: vec4f, n0: vec4f, n1: vec4f, i0: vec4u, i1: vec4u) -> f32 {
  var d0 = n0 - 2.0 * s0;
  var d1 = n1 - 2.0 * s1;
  if (EXCLUDE) {
    let own = vec4u(query_images[min(query, params.queries - 1u)]);
    d0 = select(d0, vec4f(FAR), left_out(i0, own));
    d1 = select(d1, vec4f(FAR), left_out(i1, own));
  }
  let d = min(d0, d1);
  return min(min(d.x, d.y), min(d.z, d.w));
}

fn store(query: u32, group: u32, value: f32) {
  if (query < params.queries && group < params.groups) {
    least[query * params.groups + group] = value;
  }
}
