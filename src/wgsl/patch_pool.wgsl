// patch_pool: every patch's p × p neighbourhood of one tap, weighed and summed
// into columns of a row matrix.
//
// The neighbourhood is zero-padded and flattened channel-major: element
// (c · p + row) · p + column. A column sums a run of elements, each times its
// weight, so that any chain of averages over the flattened neighbourhood is one
// pass. Runs are given in whole rows of a channel's neighbourhood.
//
// x [N, H, W, C4], bands [columns] of (first channel, first row in it, rows,
// first weight), weights p a row, y [rows, stride]; the grid: x over columns, y
// over runs of 8 patches in a line of the patch grid, z over images. Lanes run
// along the columns; a lane owns one column of 8 patches.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> bands: array<vec4u>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  height: i32,
  width: i32,
  channels: i32, // of x, a multiple of 4
  side: i32, // p
  pad: i32,
  step: i32, // distance between patches
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

/// Whether any column is added to.
override ADD: bool = false;
/// Whether p = 3 and patches are one pixel apart, so that they share pixels:
/// 1.6 times as fast on the taps of wide_resnet50_2 (llvmpipe, paired runs).
override NARROW: bool = false;

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
  let cell0 = (group.y - line * params.runs) * 8u;
  let top = i32(line) * params.step - params.pad;
  let left0 = i32(cell0) * params.step - params.pad;
  let base = (i32(image) * params.height + top) * params.width + left0;
  let hop = params.step * params.channels;

  let band = bands[column];
  var channel = i32(band.x);
  var r = i32(band.y);
  var w = band.w;
  var s0 = 0.0;
  var s1 = 0.0;
  var s2 = 0.0;
  var s3 = 0.0;
  var s4 = 0.0;
  var s5 = 0.0;
  var s6 = 0.0;
  var s7 = 0.0;
  for (var k = 0u; k < band.z; k++) {
    let inside = in_range(top + r, params.height);
    let at = (base + r * params.width) * params.channels + channel;
    if (NARROW) {
      let v0 = load(at, inside && in_range(left0, params.width));
      let v1 = load(at + hop, inside && in_range(left0 + 1, params.width));
      let v2 = load(at + 2 * hop, inside && in_range(left0 + 2, params.width));
      let v3 = load(at + 3 * hop, inside && in_range(left0 + 3, params.width));
      let v4 = load(at + 4 * hop, inside && in_range(left0 + 4, params.width));
      let v5 = load(at + 5 * hop, inside && in_range(left0 + 5, params.width));
      let v6 = load(at + 6 * hop, inside && in_range(left0 + 6, params.width));
      let v7 = load(at + 7 * hop, inside && in_range(left0 + 7, params.width));
      let v8 = load(at + 8 * hop, inside && in_range(left0 + 8, params.width));
      let v9 = load(at + 9 * hop, inside && in_range(left0 + 9, params.width));
      let w0 = weights[w];
      let w1 = weights[w + 1u];
      let w2 = weights[w + 2u];
      w += 3u;
      s0 += w0 * v0 + w1 * v1 + w2 * v2;
      s1 += w0 * v1 + w1 * v2 + w2 * v3;
      s2 += w0 * v2 + w1 * v3 + w2 * v4;
      s3 += w0 * v3 + w1 * v4 + w2 * v5;
      s4 += w0 * v4 + w1 * v5 + w2 * v6;
      s5 += w0 * v5 + w1 * v6 + w2 * v7;
      s6 += w0 * v6 + w1 * v7 + w2 * v8;
      s7 += w0 * v7 + w1 * v8 + w2 * v9;
    } else {
      for (var q = 0; q < params.side; q++) {
        let weight = weights[w];
        w++;
        let first = at + q * params.channels;
        let left = left0 + q;
        s0 += weight * load(first, inside && in_range(left, params.width));
        s1 += weight * load(first + hop, inside && in_range(left + params.step, params.width));
        s2 += weight * load(first + 2 * hop, inside && in_range(left + 2 * params.step, params.width));
        s3 += weight * load(first + 3 * hop, inside && in_range(left + 3 * params.step, params.width));
        s4 += weight * load(first + 4 * hop, inside && in_range(left + 4 * params.step, params.width));
        s5 += weight * load(first + 5 * hop, inside && in_range(left + 5 * params.step, params.width));
        s6 += weight * load(first + 6 * hop, inside && in_range(left + 6 * params.step, params.width));
        s7 += weight * load(first + 7 * hop, inside && in_range(left + 7 * params.step, params.width));
      }
    }
    r++;
    if (r == params.side) {
      r = 0;
      channel++;
    }
  }

  let cell = (image * params.grid_height + line) * params.grid_width + cell0;
  let row = u32(params.first_row + i32(cell));
  let left = params.grid_width - cell0;
  store(row, column, s0);
  if (left > 1u) { store(row + 1u, column, s1); }
  if (left > 2u) { store(row + 2u, column, s2); }
  if (left > 3u) { store(row + 3u, column, s3); }
  if (left > 4u) { store(row + 4u, column, s4); }
  if (left > 5u) { store(row + 5u, column, s5); }
  if (left > 6u) { store(row + 6u, column, s6); }
  if (left > 7u) { store(row + 7u, column, s7); }
}

/// What lies at `at`, or the zero padding; `at` may be anything there.
fn load(at: i32, inside: bool) -> f32 {
  return select(0.0, x[u32(at)], inside);
}

fn in_range(position: i32, size: i32) -> bool {
  return u32(position) < u32(size);
}

fn store(row: u32, column: u32, value: f32) {
  // A row before the first one has wrapped around to a huge number.
  if (row >= params.rows) {
    return;
  }
  let target_column = params.first_column + column;
  let at = row * params.stride + target_column;
  if (ADD) {
    y[at] = value + select(0.0, y[at], target_column < params.add_below);
  } else {
    y[at] = value;
  }
}
