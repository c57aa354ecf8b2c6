// The last step of a product; a part joined before `main`, of kernels that bind
// `bias` and `residual`. What the latter is to it: 0 nothing, 1 a summand before
// the activation, 2 a factor after it, 3 cosines and sines by which pairs of
// columns are turned: [turn_rows, turn_columns, 2], of which rows and columns
// begin anew when they are through.
override RESIDUAL: u32 = 0u;

fn finish(sum: vec4f, row: u32, column: u32, at: u32) -> vec4f {
  var v = sum + bias[column];
  if (RESIDUAL == 1u) {
    v += residual[at];
  }
  if (RESIDUAL == 3u && column < params.turn_limit) {
    let turn = row % params.turn_rows * params.turn_columns + column % params.turn_columns;
    v = v * residual[2u * turn] + vec4f(-v.y, v.x, -v.w, v.z) * residual[2u * turn + 1u];
  }
  v = activate(v, params.act_low, params.act_high);
  if (RESIDUAL == 2u) {
    v *= residual[at];
  }
  return v;
}

