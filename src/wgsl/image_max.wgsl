// image_max: patch scores, and the largest one of every image.
//
// A patch score is SCALE times the mean distance to k bank rows, squared
// distances when SQUARED. Ties go to the first patch. A patch without neighbours (its features
// are not finite) scores NaN and is an image's largest; scores are handled as
// bits, because no adapter promises to tell NaN from a number.
//
// distances [N · P, k] squared, indices [N · P, k], patch_scores [N · P] bits,
// scores [N] bits, worst [N] rows of `distances`, nearest [N] bank rows; one
// workgroup an image

@group(0) @binding(0) var<storage, read> distances: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> patch_scores: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<u32>;
@group(0) @binding(4) var<storage, read_write> worst: array<u32>;
@group(0) @binding(5) var<storage, read_write> nearest: array<u32>;

struct Params {
  images: u32,
  patches: u32, // P
  neighbours: u32, // columns of distances and indices
  used: u32, // k: the first so many count
}
@group(0) @binding(6) var<uniform> params: Params;

override SQUARED: bool = false;
override SCALE: f32 = 1.0;

const NAN_BITS = 0x7fc00000u;
/// Distances from here on stand for "none found".
const FAR = 2.9e38;

var<workgroup> best_scores: array<u32, 64>;
var<workgroup> best_rows: array<u32, 64>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  let first = image * params.patches;
  var best = 0u;
  var best_row = 0xffffffffu;
  if (image < params.images) {
    for (var p = lane; p < params.patches; p += 64u) {
      let score = score_bits(first + p);
      patch_scores[first + p] = score;
      if (score > best || best_row == 0xffffffffu) {
        best = score;
        best_row = first + p;
      }
    }
  }
  best_scores[lane] = best;
  best_rows[lane] = best_row;
  workgroupBarrier();
  if (lane != 0u || image >= params.images) {
    return;
  }
  for (var i = 1u; i < 64u; i++) {
    let score = best_scores[i];
    let row = best_rows[i];
    if (score > best || (score == best && row < best_row)) {
      best = score;
      best_row = row;
    }
  }
  scores[image] = best;
  worst[image] = best_row;
  nearest[image] = indices[best_row * params.neighbours];
}

/// Scores are not negative, so that their bits are in their order, NaN last.
fn score_bits(row: u32) -> u32 {
  let at = row * params.neighbours;
  var sum = 0.0;
  var found = true;
  for (var i = 0u; i < params.used; i++) {
    let squared = distances[at + i];
    found = found && squared < FAR;
    sum += select(sqrt(squared), squared, SQUARED);
  }
  let bits = bitcast<u32>(SCALE * sum / f32(params.used)) & 0x7fffffffu;
  return select(NAN_BITS, bits, found);
}
