// foreground_mask: which patches of an image are of the part, from their first
// principal components: those above a threshold; the other sign where too few in
// the middle are; dilated once, then closed, each by 3 × 3.
//
// Dilating twice reaches two patches; beyond the border nothing is set for a
// dilation and everything for an erosion, as in OpenCV. With LINE the patches
// are one column: the mask grows along rows, over their ends. A component that
// is not finite counts as above, so that its patch is told.
//
// components [N, P] as bits, mask [N, P]; one workgroup an image

@group(0) @binding(0) var<storage, read> components: array<u32>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;

struct Params {
  images: u32,
  height: u32, // of the grid
  width: u32,
  top: u32, // rows top to bottom − 1 and columns left to right − 1 are the middle
  bottom: u32,
  left: u32,
  right: u32,
  few: u32, // so many of the middle or fewer turn the sign
  threshold: f32,
}
@group(0) @binding(2) var<uniform> params: Params;

override LINE: bool = false;

const INFINITE = 0x7f800000u;

var<workgroup> middle: atomic<u32>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  let patches = params.height * params.width;
  let first = image * patches;
  let end = select(0u, patches, image < params.images);
  var count = 0u;
  for (var p = lane; p < end; p += 64u) {
    let row = p / params.width;
    let column = p % params.width;
    let is_middle = row >= params.top && row < params.bottom
      && column >= params.left && column < params.right;
    if (is_middle && is_above(first + p, 1.0)) {
      count++;
    }
  }
  atomicAdd(&middle, count);
  workgroupBarrier();
  let sign = select(1.0, -1.0, atomicLoad(&middle) <= params.few);
  for (var p = lane; p < end; p += 64u) {
    mask[first + p] = select(0u, 1u, is_closed(first, i32(p), sign));
  }
}

fn is_above(at: u32, sign: f32) -> bool {
  let bits = components[at];
  let is_finite = (bits & INFINITE) != INFINITE;
  return !is_finite || sign * bitcast<f32>(bits) > params.threshold;
}

/// Whether all patches around, inside the border, are dilated.
fn is_closed(first: u32, p: i32, sign: f32) -> bool {
  let width = i32(params.width);
  let patches = i32(params.height * params.width);
  if (LINE) {
    for (var q = max(p - 1, 0); q <= min(p + 1, patches - 1); q++) {
      var any = false;
      for (var r = max(q - 2, 0); r <= min(q + 2, patches - 1); r++) {
        any = any || is_above(first + u32(r), sign);
      }
      if (!any) {
        return false;
      }
    }
    return true;
  }
  let height = i32(params.height);
  let row = p / width;
  let column = p % width;
  for (var y = max(row - 1, 0); y <= min(row + 1, height - 1); y++) {
    for (var x = max(column - 1, 0); x <= min(column + 1, width - 1); x++) {
      if (!is_dilated(first, y, x, sign)) {
        return false;
      }
    }
  }
  return true;
}

fn is_dilated(first: u32, row: i32, column: i32, sign: f32) -> bool {
  let width = i32(params.width);
  let height = i32(params.height);
  for (var y = max(row - 2, 0); y <= min(row + 2, height - 1); y++) {
    for (var x = max(column - 2, 0); x <= min(column + 2, width - 1); x++) {
      if (is_above(first + u32(y * width + x), sign)) {
        return true;
      }
    }
  }
  return false;
}
