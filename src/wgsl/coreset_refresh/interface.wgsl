// coreset_refresh: anchors[r] = min(anchors[r], |row r − c|) over new centres c
//
// packed  [panels, D, 16]  rows in panels (see pack_rows)
// centres [K, D/4]         row-major
// anchors [N]              one per row; updated
// folds   [K]              fold of each centre, read when FOLDS
// nearest [N]              of each row, updated when FOLDS: the distance (its bits)
//                          to its nearest centre, that centre, the distance to the
//                          nearest centre of another fold than that one's, and it
// alive   [panels, words]  a bit for each new centre that may matter to a panel,
//                          as coreset_rule_out leaves it; read when RULED_OUT
//
// A lane owns 8 rows and 16 centres at a time, by direct differences in the
// order of the dimension, as coreset_step has them: the same bits.
//# Written out for a lane's 8 rows.

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;
@group(0) @binding(1) var<storage, read> centres: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> anchors: array<f32>;
@group(0) @binding(3) var<storage, read> folds: array<u32>;
@group(0) @binding(4) var<storage, read_write> nearest: array<vec4u>;
@group(0) @binding(5) var<storage, read> alive: array<u32>;

struct Params {
  rows: u32,
  base: u32, // row of anchors that row 0 of the panels is
  dim4: u32,
  panels: u32,
  first: u32, // new centres: from
  end: u32, // and to, not included
  words: u32, // of `alive` for each panel
}
@group(0) @binding(6) var<uniform> params: Params;

override FOLDS: bool = false;
override RULED_OUT: bool = false;
const LANES = 64u;
const NONE = 0xffffffffu;

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

// What is known of 4 rows' nearest centres.
struct Nearest {
  distance: vec4f,
  centre: vec4u,
  fold: vec4u,
  other_distance: vec4f,
  other_centre: vec4u,
}

struct Rows {
  anchors0: vec4f,
  anchors1: vec4f,
  nearest0: Nearest,
  nearest1: Nearest,
}

// A nearer centre of another fold makes the nearest one so far the nearest of
// another fold.
fn follow(own: Nearest, distance: vec4f, centre: vec4u, fold: vec4u) -> Nearest {
  let first = distance < own.distance;
  let other = own.fold != fold;
  let pushed = first & other;
  let second = (distance < own.other_distance) & other;
  var next: Nearest;
  next.other_distance = select(
    select(own.other_distance, distance, second),
    own.distance,
    pushed,
  );
  next.other_centre = select(select(own.other_centre, centre, second), own.centre, pushed);
  next.distance = select(own.distance, distance, first);
  next.centre = select(own.centre, centre, first);
  next.fold = select(own.fold, fold, first);
  return next;
}

fn merge(own: Rows, centre: u32, s0: vec4f, s1: vec4f) -> Rows {
  var next = own;
  let d0 = sqrt(s0);
  let d1 = sqrt(s1);
  next.anchors0 = min(own.anchors0, d0);
  next.anchors1 = min(own.anchors1, d1);
  if (FOLDS) {
    let fold = vec4u(folds[centre]);
    next.nearest0 = follow(own.nearest0, d0, vec4u(centre), fold);
    next.nearest1 = follow(own.nearest1, d1, vec4u(centre), fold);
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

fn fold_of(centre: u32) -> u32 {
  return select(folds[select(centre, 0u, centre == NONE)], NONE, centre == NONE);
}

fn load4_nearest(from_row: u32) -> Nearest {
  let last = params.base + params.rows - 1u;
  let at = params.base + from_row;
  let a = nearest[min(at, last)];
  let b = nearest[min(at + 1u, last)];
  let c = nearest[min(at + 2u, last)];
  let d = nearest[min(at + 3u, last)];
  return Nearest(
    bitcast<vec4f>(vec4u(a.x, b.x, c.x, d.x)),
    vec4u(a.y, b.y, c.y, d.y),
    vec4u(fold_of(a.y), fold_of(b.y), fold_of(c.y), fold_of(d.y)),
    bitcast<vec4f>(vec4u(a.z, b.z, c.z, d.z)),
    vec4u(a.w, b.w, c.w, d.w),
  );
}

fn load_rows(from_row: u32) -> Rows {
  var own = Rows();
  own.anchors0 = load4(from_row);
  own.anchors1 = load4(from_row + 4u);
  if (FOLDS) {
    own.nearest0 = load4_nearest(from_row);
    own.nearest1 = load4_nearest(from_row + 4u);
  }
  return own;
}

fn store_row(row: u32, anchor: f32, distance: f32, centre: u32, other_distance: f32, other: u32) {
  if (row >= params.rows) {
    return;
  }
  anchors[params.base + row] = anchor;
  if (FOLDS) {
    nearest[params.base + row] =
      vec4u(bitcast<u32>(distance), centre, bitcast<u32>(other_distance), other);
  }
}

fn store_rows(row: u32, own: Rows) {
  let near0 = own.nearest0;
  let near1 = own.nearest1;
  store_row(row, own.anchors0.x, near0.distance.x, near0.centre.x, near0.other_distance.x, near0.other_centre.x);
  //#for q 1 8
  store_row(row + {q}u, own.anchors{q / 4}.{xyzw[q % 4]}, near{q / 4}.distance.{xyzw[q % 4]}, near{q / 4}.centre.{xyzw[q % 4]}, near{q / 4}.other_distance.{xyzw[q % 4]}, near{q / 4}.other_centre.{xyzw[q % 4]});
  //#end
}
