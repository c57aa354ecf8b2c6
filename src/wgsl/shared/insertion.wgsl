// Keeps the k nearest rows in order: ties go to the lowest index.
fn before(d: f32, i: u32, e: f32, j: u32) -> bool {
  return d < e || (d == e && i < j);
}

fn insert(d: f32, i: u32) {
  var at = params.k - 1u;
  if (!before(d, i, top_distances[at], top_indices[at])) {
    return;
  }
  for (; at > 0u; at--) {
    let above = at - 1u;
    if (!before(d, i, top_distances[above], top_indices[above])) {
      break;
    }
    top_distances[at] = top_distances[above];
    top_indices[at] = top_indices[above];
  }
  top_distances[at] = d;
  top_indices[at] = i;
}
