// principal_direction: the direction of an image's largest variance, of length 1.
//
// The covariance along the vectors is squared until only its largest eigenvalue
// is left: its columns are the eigenvector then. The largest loading is
// positive, as in scikit-learn since 1.5; of equal ones the first.
//
// basis [N, STEPS, D], matrix [N, STEPS, STEPS], direction [N, D]; one workgroup
// an image

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read_write> direction: array<f32>;

struct Params {
  images: u32,
  dim: u32, // D
}
@group(0) @binding(3) var<uniform> params: Params;

const STEPS = 24u;
/// The eigenvalues' powers are 2^20.
const SQUARINGS = 20u;

var<workgroup> a: array<f32, 576>; // STEPS × STEPS
var<workgroup> b: array<f32, 576>;
var<workgroup> squares: array<f32, 64>;
var<workgroup> largest: array<f32, 64>;
var<workgroup> places: array<u32, 64>;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let image = group.y * groups.x + group.x;
  if (image >= params.images) {
    return;
  }
  for (var i = lane; i < STEPS * STEPS; i += 64u) {
    a[i] = matrix[image * STEPS * STEPS + i];
  }
  workgroupBarrier();
  for (var round = 0u; round < SQUARINGS; round++) {
    var most = 0.0;
    for (var i = 0u; i < STEPS; i++) {
      most = max(most, a[i * STEPS + i]);
    }
    let scale = select(0.0, 1.0 / most, most > 0.0);
    for (var at = lane; at < STEPS * STEPS; at += 64u) {
      let row = at / STEPS * STEPS;
      let column = at % STEPS;
      var sum = 0.0;
      for (var k = 0u; k < STEPS; k++) {
        sum += (a[row + k] * scale) * (a[k * STEPS + column] * scale);
      }
      b[at] = sum;
    }
    workgroupBarrier();
    for (var at = lane; at < STEPS * STEPS; at += 64u) {
      a[at] = b[at];
    }
    workgroupBarrier();
  }
  var top = 0u;
  for (var i = 1u; i < STEPS; i++) {
    if (a[i * STEPS + i] > a[top * STEPS + top]) {
      top = i;
    }
  }
  let own = image * params.dim;
  let vectors = image * STEPS * params.dim;
  var square = 0.0;
  var best = 0.0;
  var place = 0u;
  for (var d = lane; d < params.dim; d += 64u) {
    var sum = 0.0;
    for (var i = 0u; i < STEPS; i++) {
      sum += a[i * STEPS + top] * basis[vectors + i * params.dim + d];
    }
    direction[own + d] = sum;
    square += sum * sum;
    if (abs(sum) > abs(best)) {
      best = sum;
      place = d;
    }
  }
  squares[lane] = square;
  largest[lane] = best;
  places[lane] = place;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += squares[i];
    let other = largest[i];
    let is_first = abs(other) == abs(best) && places[i] < place;
    if (abs(other) > abs(best) || is_first) {
      best = other;
      place = places[i];
    }
  }
  let sign = select(1.0, -1.0, best < 0.0);
  let scale = select(0.0, sign / sqrt(total), total > 0.0);
  for (var d = lane; d < params.dim; d += 64u) {
    direction[own + d] *= scale;
  }
}
