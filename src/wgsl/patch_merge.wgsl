// patch_merge: a tap's patch columns, resampled from its own patch grid to the
// first tap's and placed beside that one's columns.
//
// x [N · h · w, columns], lines [grid height] of (upper line, lower line, weight
// of the lower one as bits, 0), blocks [⌈grid width / 8⌉] of (first source
// point, points, first weight, 0), weights two vec4 for each of a block's
// points, y [rows, stride]; the grid: x over columns, y over blocks of 8 patches
// in a line of the patch grid, z over images. Lanes run along the columns; a
// lane owns one column of 8 patches.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> lines: array<vec4u>;
@group(0) @binding(2) var<storage, read> blocks: array<vec4u>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

struct Params {
  height: u32, // h
  width: u32, // w
  grid_height: u32,
  grid_width: u32,
  runs: u32, // blocks in a line of the grid
  first_image: u32,

  //#use patch_target
}
@group(0) @binding(5) var<uniform> params: Params;

/// Whether any column is added to.
override ADD: bool = false;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = group.x * 64u + lane;
  if (column >= params.columns) {
    return;
  }
  let image = params.first_image + group.z;
  let line = group.y / params.runs;
  let run = group.y - line * params.runs;
  let block = blocks[run];
  let vertical = lines[line];
  let share = bitcast<f32>(vertical.z);
  let source = image * params.height;
  var above = ((source + vertical.x) * params.width + block.x) * params.columns + column;
  var below = ((source + vertical.y) * params.width + block.x) * params.columns + column;
  var low = vec4f();
  var high = vec4f();
  for (var t = 0u; t < block.y; t++) {
    let value = (1.0 - share) * x[above] + share * x[below];
    low += weights[block.z + 2u * t] * value;
    high += weights[block.z + 2u * t + 1u] * value;
    above += params.columns;
    below += params.columns;
  }

  let cell0 = run * 8u;
  let cell = (image * params.grid_height + line) * params.grid_width + cell0;
  let row = u32(params.first_row + i32(cell));
  let left = params.grid_width - cell0;
  store(row, column, low.x);
  if (left > 1u) { store(row + 1u, column, low.y); }
  if (left > 2u) { store(row + 2u, column, low.z); }
  if (left > 3u) { store(row + 3u, column, low.w); }
  if (left > 4u) { store(row + 4u, column, high.x); }
  if (left > 5u) { store(row + 5u, column, high.y); }
  if (left > 6u) { store(row + 6u, column, high.z); }
  if (left > 7u) { store(row + 7u, column, high.w); }
}

//#use store_patch
