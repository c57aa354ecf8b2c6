// principal_step: one step of Lanczos' method for each image: takes the vectors
// so far off the rest, twice, and makes the next one of what is left.
//
// The coefficients are a column and a row of the covariance along the vectors.
// What is left of an exhausted space is rounding: its vectors are 0.
//
// rest [N, D], basis [N, STEPS, D], matrix [N, STEPS, STEPS]; one workgroup an
// image

@group(0) @binding(0) var<storage, read_write> rest: array<f32>;
@group(0) @binding(1) var<storage, read_write> basis: array<f32>;
@group(0) @binding(2) var<storage, read_write> matrix: array<f32>;

struct Params {
  images: u32,
  dim: u32, // D
  known: u32, // vectors so far
}
@group(0) @binding(3) var<uniform> params: Params;

const STEPS = 24u;
/// A remainder below this share of the largest one is rounding.
const LEAST = 1e-6;

var<workgroup> coefficients: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  if (image >= params.images) {
    return;
  }
  let own = image * params.dim;
  let vectors = image * STEPS * params.dim;
  let square = image * STEPS * STEPS;
  if (params.known == 0u) {
    for (var i = lane; i < STEPS * STEPS; i += 64u) {
      matrix[square + i] = 0.0;
    }
  }
  for (var again = 0u; again < 2u; again++) {
    var along = 0.0;
    if (lane < params.known) {
      for (var d = 0u; d < params.dim; d++) {
        along += basis[vectors + lane * params.dim + d] * rest[own + d];
      }
      let last = params.known - 1u;
      matrix[square + lane * STEPS + last] += along;
      if (lane != last) {
        matrix[square + last * STEPS + lane] += along;
      }
    }
    coefficients[lane] = along;
    workgroupBarrier();
    for (var d = lane; d < params.dim; d += 64u) {
      var value = rest[own + d];
      for (var k = 0u; k < params.known; k++) {
        value -= coefficients[k] * basis[vectors + k * params.dim + d];
      }
      rest[own + d] = value;
    }
    storageBarrier();
    workgroupBarrier();
  }
  var squares = 0.0;
  for (var d = lane; d < params.dim; d += 64u) {
    squares += rest[own + d] * rest[own + d];
  }
  coefficients[lane] = squares;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += coefficients[i];
  }
  let length = sqrt(total);
  let least = select(LEAST * matrix[square], 0.0, params.known == 0u);
  let scale = select(0.0, 1.0 / length, length > least);
  if (params.known < STEPS) {
    for (var d = lane; d < params.dim; d += 64u) {
      basis[vectors + params.known * params.dim + d] = rest[own + d] * scale;
    }
  }
}
