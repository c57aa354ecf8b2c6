// coreset_rule_out: which new centres may be nearer to any row of a panel than what
// the row has, by the distance along some axes, which is no longer than the true
// one
//
// packed    [panels, A, 16]  rows along A axes, in panels (see pack_rows); declared
//                            with the tile
// row_norms [panels, 64]     their squared norms, FAR past the end
// centres   [C, A/4]         new centres along the axes, row-major
// centre_norms [C]           their squared norms
// anchors   [N]              distance of each row to its nearest centre so far
// nearest   [N]              as coreset_refresh has it, when FOLDS: the third value is
//                            the distance to the nearest centre of a second fold
// alive     [panels, words]  bit c of a panel: centre c may matter
//
// A lane owns 8 rows and 16 centres at a time, as in coreset_refresh.

@group(0) @binding(1) var<storage, read> row_norms: array<vec4f>;
@group(0) @binding(2) var<storage, read> centres: array<vec4f>;
@group(0) @binding(3) var<storage, read> centre_norms: array<f32>;
@group(0) @binding(4) var<storage, read> anchors: array<f32>;
@group(0) @binding(5) var<storage, read> nearest: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> alive: array<u32>;

struct Params {
  rows: u32,
  base: u32, // row of anchors that row 0 of the panels is
  axes4: u32,
  panels: u32,
  count: u32, // new centres
  to: u32, // panel of `alive` that panel 0 is
  words: u32, // of `alive` for each panel
  slack: f32, // relative rounding error of the squares
  radius: f32, // what a distance along the axes may be too large by
  stretch: f32, // and what share of it, as a factor above 1
}
@group(0) @binding(7) var<uniform> params: Params;

override FOLDS: bool = false;
const LANES = 64u;

fn far(row: u32) -> f32 {
  let at = params.base + min(row, params.rows - 1u);
  if (FOLDS) {
    return bitcast<f32>(nearest[at].z);
  }
  return anchors[at];
}

// What |c|² (1 − 3 slack) − 2 row·c must stay below for c to matter. With s the
// computed square of the distance and n = |row|², m = |c|², the rounding of s is
// less than slack (n + m + 2 |row| |c|), so at most 2 slack (n + m).
fn limit4(row: u32, norms: vec4f) -> vec4f {
  let distance = vec4f(far(row), far(row + 1u), far(row + 2u), far(row + 3u));
  let reach = distance * params.stretch + params.radius;
  return reach * reach - norms * (1.0 - 3.0 * params.slack);
}

fn multiply_add(sum: vec4f, r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, centre: vec4f) -> vec4f {
  return sum + r0 * centre.x + r1 * centre.y + r2 * centre.z + r3 * centre.w;
}

// The bit of centre `i` of a word, if it may matter to one of 8 rows.
fn bit(i: u32, norm: f32, s0: vec4f, s1: vec4f, limit0: vec4f, limit1: vec4f) -> u32 {
  let least = norm * (1.0 - 3.0 * params.slack);
  let near0 = least - 2.0 * s0 < limit0;
  let near1 = least - 2.0 * s1 < limit1;
  return u32(any(near0) || any(near1)) << i;
}
