// coreset_refresh: anchors[r] = min(anchors[r], |row r − c|) over new centres c
//
// packed  [panels, D, 16]  rows in panels (see pack_rows)
// centres [K, D/4]         row-major
// anchors [N]              one per row; updated
// images  [N]              image of each row, read when OTHERS
// centre_images [K]        image of each centre, read when OTHERS
// others  [N]              distance to the nearest centre of another image
// nearest_other [N]        that centre; both updated when OTHERS
// alive   [panels, words]  a bit for each new centre that may matter to a panel,
//                          as coreset_rule_out leaves it; read when RULED_OUT
//
// A lane owns 8 rows and 16 centres at a time, by direct differences in the
// order of the dimension, as coreset_step has them: the same bits.
//# Written out for a lane's 8 rows.

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;
@group(0) @binding(1) var<storage, read> centres: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> anchors: array<f32>;
@group(0) @binding(3) var<storage, read> images: array<u32>;
@group(0) @binding(4) var<storage, read> centre_images: array<u32>;
@group(0) @binding(5) var<storage, read_write> others: array<f32>;
@group(0) @binding(6) var<storage, read_write> nearest_other: array<u32>;
@group(0) @binding(7) var<storage, read> alive: array<u32>;

struct Params {
  rows: u32,
  base: u32, // row of anchors that row 0 of the panels is
  dim4: u32,
  panels: u32,
  first: u32, // new centres: from
  end: u32, // and to, not included
  words: u32, // of `alive` for each panel
}
@group(0) @binding(8) var<uniform> params: Params;

override OTHERS: bool = false;
override RULED_OUT: bool = false;
const LANES = 64u;

// The first new centre from `centre` on that may matter to a panel; `end` if none.
fn next_centre(panel: u32, centre: u32) -> u32 {
  if (!RULED_OUT) {
    return centre;
  }
  var at = centre - params.first;
  let count = params.end - params.first;
  while (at < count) {
    let bits = alive[panel * params.words + (at >> 5u)] >> (at & 31u);
    if (bits != 0u) {
      return params.first + at + countTrailingZeros(bits);
    }
    at = (at | 31u) + 1u;
  }
  return params.end;
}

fn add(sum: vec4f, row: vec4f, centre: f32) -> vec4f {
  let difference = row - centre;
  return fma(difference, difference, sum);
}

fn add4(sum: vec4f, r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, centre: vec4f) -> vec4f {
  return add(add(add(add(sum, r0, centre.x), r1, centre.y), r2, centre.z), r3, centre.w);
}

struct Rows {
  anchors0: vec4f,
  anchors1: vec4f,
  others0: vec4f,
  others1: vec4f,
  nearest0: vec4u,
  nearest1: vec4u,
  images0: vec4u,
  images1: vec4u,
}

fn merge(own: Rows, centre: u32, s0: vec4f, s1: vec4f) -> Rows {
  var next = own;
  let d0 = sqrt(s0);
  let d1 = sqrt(s1);
  next.anchors0 = min(own.anchors0, d0);
  next.anchors1 = min(own.anchors1, d1);
  if (OTHERS) {
    let image = vec4u(centre_images[centre]);
    let nearer0 = (d0 < own.others0) & (own.images0 != image);
    let nearer1 = (d1 < own.others1) & (own.images1 != image);
    next.others0 = select(own.others0, d0, nearer0);
    next.others1 = select(own.others1, d1, nearer1);
    next.nearest0 = select(own.nearest0, vec4u(centre), nearer0);
    next.nearest1 = select(own.nearest1, vec4u(centre), nearer1);
  }
  return next;
}

fn load4(from_row: u32) -> vec4f {
  let last = params.base + params.rows - 1u;
  let at = params.base + from_row;
  return vec4f(
    anchors[min(at, last)],
    anchors[min(at + 1u, last)],
    anchors[min(at + 2u, last)],
    anchors[min(at + 3u, last)],
  );
}

fn load4_others(from_row: u32) -> vec4f {
  let last = params.base + params.rows - 1u;
  let at = params.base + from_row;
  return vec4f(
    others[min(at, last)],
    others[min(at + 1u, last)],
    others[min(at + 2u, last)],
    others[min(at + 3u, last)],
  );
}

fn load4_images(from_row: u32) -> vec4u {
  let last = params.base + params.rows - 1u;
  let at = params.base + from_row;
  return vec4u(
    images[min(at, last)],
    images[min(at + 1u, last)],
    images[min(at + 2u, last)],
    images[min(at + 3u, last)],
  );
}

fn load4_nearest(from_row: u32) -> vec4u {
  let last = params.base + params.rows - 1u;
  let at = params.base + from_row;
  return vec4u(
    nearest_other[min(at, last)],
    nearest_other[min(at + 1u, last)],
    nearest_other[min(at + 2u, last)],
    nearest_other[min(at + 3u, last)],
  );
}

fn load_rows(from_row: u32) -> Rows {
  var own = Rows();
  own.anchors0 = load4(from_row);
  own.anchors1 = load4(from_row + 4u);
  if (OTHERS) {
    own.others0 = load4_others(from_row);
    own.others1 = load4_others(from_row + 4u);
    own.nearest0 = load4_nearest(from_row);
    own.nearest1 = load4_nearest(from_row + 4u);
    own.images0 = load4_images(from_row);
    own.images1 = load4_images(from_row + 4u);
  }
  return own;
}

fn store_row(row: u32, anchor: f32, other: f32, nearest: u32) {
  if (row >= params.rows) {
    return;
  }
  anchors[params.base + row] = anchor;
  if (OTHERS) {
    others[params.base + row] = other;
    nearest_other[params.base + row] = nearest;
  }
}

fn store_rows(row: u32, own: Rows) {
  store_row(row, own.anchors0.x, own.others0.x, own.nearest0.x);
  //#for q 1 8
  store_row(row + {q}u, own.anchors{q / 4}.{xyzw[q % 4]}, own.others{q / 4}.{xyzw[q % 4]}, own.nearest{q / 4}.{xyzw[q % 4]});
  //#end
}
