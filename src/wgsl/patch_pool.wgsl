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
//# Written out for 8 cells.

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

  //#use patch_target
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
  //#for q 0 8
  var s{q} = 0.0;
  //#end
  for (var k = 0u; k < band.z; k++) {
    let inside = in_range(top + r, params.height);
    let at = (base + r * params.width) * params.channels + channel;
    if (NARROW) {
      let v0 = load(at, inside && in_range(left0, params.width));
      let v1 = load(at + hop, inside && in_range(left0 + 1, params.width));
      //#for q 2 10
      let v{q} = load(at + {q} * hop, inside && in_range(left0 + {q}, params.width));
      //#end
      let w0 = weights[w];
      let w1 = weights[w + 1u];
      let w2 = weights[w + 2u];
      w += 3u;
      //#for q 0 8
      s{q} += w0 * v{q} + w1 * v{q + 1} + w2 * v{q + 2};
      //#end
    } else {
      for (var q = 0; q < params.side; q++) {
        let weight = weights[w];
        w++;
        let first = at + q * params.channels;
        let left = left0 + q;
        s0 += weight * load(first, inside && in_range(left, params.width));
        s1 += weight * load(first + hop, inside && in_range(left + params.step, params.width));
        //#for q 2 8
        s{q} += weight * load(first + {q} * hop, inside && in_range(left + {q} * params.step, params.width));
        //#end
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
  //#for q 1 8
  if (left > {q}u) { store(row + {q}u, column, s{q}); }
  //#end
}

/// What lies at `at`, or the zero padding; `at` may be anything there.
fn load(at: i32, inside: bool) -> f32 {
  return select(0.0, x[u32(at)], inside);
}

fn in_range(position: i32, size: i32) -> bool {
  return u32(position) < u32(size);
}

//#use store_patch
