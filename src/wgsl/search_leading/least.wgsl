// search_leading: least[q, g] = min over the rows b of group g of |b|² − 2 q·b
//
// norms   [panels, 64]  |b|², FAR for rows past the end
// images  [panels, 64]  image of each row, read when EXCLUDE
// query_images [Q]      image whose rows a query must not find
// least   [Q, G]        FAR where a group has no row to find
//
// One workgroup takes 16 queries and LANES groups.
//# Written out for 16 queries.

@group(0) @binding(2) var<storage, read> norms: array<vec4f>;
@group(0) @binding(3) var<storage, read> images: array<vec4u>;
@group(0) @binding(4) var<storage, read> query_images: array<u32>;
@group(0) @binding(5) var<storage, read_write> least: array<f32>;

struct Params {
  queries: u32,
  dim4: u32,
  stride4: u32,
  groups: u32,
}
@group(0) @binding(6) var<uniform> params: Params;

override EXCLUDE: bool = false;

const FAR = 3e38;

// See search_groups.
fn left_out(images: vec4u, own: vec4u) -> vec4<bool> {
  return (images ^ own) - 1u >= vec4u(0x80000000u);
}

fn images_of(column: u32) -> vec4u {
  if (EXCLUDE) {
    return images[column];
  }
  return vec4u();
}

struct Rows {
  norms0: vec4f,
  norms1: vec4f,
  images0: vec4u,
  images1: vec4u,
}

fn store(query: u32, group: u32, rows: Rows, s0: vec4f, s1: vec4f) {
  if (query >= params.queries || group >= params.groups) {
    return;
  }
  var d0 = rows.norms0 - 2.0 * s0;
  var d1 = rows.norms1 - 2.0 * s1;
  if (EXCLUDE) {
    let own = vec4u(query_images[query]);
    d0 = select(d0, vec4f(FAR), left_out(rows.images0, own));
    d1 = select(d1, vec4f(FAR), left_out(rows.images1, own));
  }
  let d = min(d0, d1);
  least[query * params.groups + group] = min(min(d.x, d.y), min(d.z, d.w));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wid.y * LANES + lane;
  let query = wid.x * 16u;
  let used = min(group, params.groups - 1u);
  let t = tile_of(query, used, lane);
  let rows = Rows(
    norms[2u * used],
    norms[2u * used + 1u],
    images_of(2u * used),
    images_of(2u * used + 1u),
  );
  //#for q 0 16
  store(query + {q}u, group, rows, t.s{q}_0, t.s{q}_1);
  //#end
}
