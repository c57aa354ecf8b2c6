// patch_merge: a tap's patch columns, resampled from its own patch grid to the
// first tap's and placed beside that one's columns.
//
// x [N · h · w, columns], lines [grid height] and steps [grid width] of (lower
// index, upper index, weight of the upper one as bits, 0), y [rows, stride];
// the grid: x over columns, y over runs of 8 patches in a line of the patch
// grid, z over images. Lanes run along the columns; walking along a line, a
// lane keeps the two source columns it stands between.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> lines: array<vec4u>;
@group(0) @binding(2) var<storage, read> steps: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  height: u32, // h
  width: u32, // w
  grid_height: u32,
  grid_width: u32,
  runs: u32, // of 8 patches in a line of the grid
  first_image: u32,

  // output
  columns: u32,
  first_column: u32,
  stride: u32,
  first_row: i32, // of image 0; negative where y begins later
  rows: u32,
  add_below: u32, // columns of y below this are added to, others written
}
@group(0) @binding(4) var<uniform> params: Params;

const NOWHERE = 0xffffffffu;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = group.x * 64u + lane;
  if (column >= params.columns) {
    return;
  }
  let target_column = params.first_column + column;
  let image = params.first_image + group.z;
  let line = group.y / params.runs;
  let first = (group.y - line * params.runs) * 8u;
  let end = min(first + 8u, params.grid_width);
  let vertical = lines[line];
  let share = bitcast<f32>(vertical.z);
  let above = (image * params.height + vertical.x) * params.width;
  let below = (image * params.height + vertical.y) * params.width;
  let row0 = params.first_row +
    i32((image * params.grid_height + line) * params.grid_width);

  var left_at = NOWHERE;
  var right_at = NOWHERE;
  var left = 0.0;
  var right = 0.0;
  for (var cell = first; cell < end; cell++) {
    let stand = steps[cell];
    if (stand.x == right_at) {
      left = right;
    } else if (stand.x != left_at) {
      left = blend(above, below, stand.x, column, share);
    }
    left_at = stand.x;
    var value = left;
    if (stand.z != 0u) {
      if (stand.y != right_at) {
        right = blend(above, below, stand.y, column, share);
        right_at = stand.y;
      }
      let weight = bitcast<f32>(stand.z);
      value = (1.0 - weight) * left + weight * right;
    }
    let row = u32(row0 + i32(cell));
    if (row < params.rows) {
      let at = row * params.stride + target_column;
      y[at] = value + select(0.0, y[at], target_column < params.add_below);
    }
  }
}

/// The value between the lines `above` and `below`.
fn blend(above: u32, below: u32, at: u32, column: u32, share: f32) -> f32 {
  let upper = x[(above + at) * params.columns + column];
  if (share == 0.0) {
    return upper;
  }
  return (1.0 - share) * upper + share * x[(below + at) * params.columns + column];
}
