// layer_norm: y[m, c] = (x[r, c] - mean) / sqrt(variance + epsilon) · gamma[c] + beta[c]
// over the channels of each row, in two passes: mean and variance first.
//
// x     [N, T, C4]   T rows an image
// gamma [C4], beta [C4], zeros beyond the real channels
// y     [N, P, C4]   the rows of each image from `skip` on
//
// One workgroup a row.
//# How the lanes add up is a part: {lanes} lanes.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(2) var<storage, read> beta: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  // rows: of y in all, of each image in y and in x, left out at each image's start
  rows: u32,
  y_rows: u32,
  x_rows: u32,
  skip: u32,

  columns: u32, // C4
  channels: u32, // the real ones
  epsilon: f32,
}
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size({lanes})
fn main(
  //#use place_in_grid
) {
  // All lanes stay to the end: those of a surplus workgroup do a row again.
  let row = min(group.y * groups.x + group.x, params.rows - 1u);
  let image = row / params.y_rows;
  let x_at = (image * params.x_rows + params.skip + row - image * params.y_rows) * params.columns;
  let count = f32(params.channels);

  var sum = vec4f();
  for (var c = lane; c < params.columns; c += {lanes}u) {
    sum += x[x_at + c];
  }
  let mean = total(lane, sum) / count;

  var squares = vec4f();
  for (var c = lane; c < params.columns; c += {lanes}u) {
    let real = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.channels);
    let d = select(vec4f(), x[x_at + c] - mean, real);
    squares += d * d;
  }
  let scale = inverseSqrt(total(lane, squares) / count + params.epsilon);

  for (var c = lane; c < params.columns; c += {lanes}u) {
    y[row * params.columns + c] = (x[x_at + c] - mean) * scale * gamma[c] + beta[c];
  }
}
