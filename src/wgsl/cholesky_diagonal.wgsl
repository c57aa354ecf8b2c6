// cholesky_diagonal: factors the 16 × 16 diagonal block of a panel and leaves the
// inverse of the factor in its place, zeros above the diagonal
//
// factors [positions, packed]  lower triangles in panels (see covariance)
//
// The substitutions become products by the inverse: no lane waits for the row
// before. One lane is one position.

@group(0) @binding(0) var<storage, read_write> factors: array<f32>;

struct Params {
  dim: u32,
  panel: u32,
  packed: u32,
  positions: u32,
}
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.positions) {
    return;
  }
  let column = params.panel * 16u;
  let height = params.dim - column;
  let start = id.x * params.packed + column * (params.dim + 8u) -
    column * column / 2u;
  // a[16 · row + column]: first the block, then its factor.
  var a = array<f32, 256>();
  for (var c = 0u; c < 16u; c++) {
    for (var r = c; r < 16u; r++) {
      var value = factors[start + c * height + r];
      for (var k = 0u; k < c; k++) {
        value -= a[16u * r + k] * a[16u * c + k];
      }
      if (r == c) {
        a[17u * c] = sqrt(value);
      } else {
        a[16u * r + c] = value / a[17u * c];
      }
    }
  }
  for (var c = 0u; c < 16u; c++) {
    var inverse = array<f32, 16>();
    for (var r = c; r < 16u; r++) {
      var value = select(0.0, 1.0, r == c);
      for (var k = c; k < r; k++) {
        value -= a[16u * r + k] * inverse[k];
      }
      inverse[r] = value / a[17u * r];
    }
    for (var r = 0u; r < 16u; r++) {
      factors[start + c * height + r] = inverse[r];
    }
  }
}
