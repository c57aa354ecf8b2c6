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
