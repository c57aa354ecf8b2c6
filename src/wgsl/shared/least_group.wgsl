// The group with the least score is chosen and marked as measured; the loop around
// ends when none has a bound below the k-th distance.
var value = FAR;
var place = NONE;
for (var g = lane; g < params.groups; g += LANES) {
  let v = least[first_least + g];
  if (v < value) {
    value = v;
    place = g;
  }
}
values[lane] = value;
places[lane] = place;
workgroupBarrier();
if (lane == 0u) {
  for (var i = 1u; i < LANES; i++) {
    if (before(values[i], places[i], value, place)) {
      value = values[i];
      place = places[i];
    }
  }
  if (value >= FAR * 0.5 || bound(value, norm) > top_distances[k - 1u]) {
    place = NONE;
  }
  chosen = place;
}
let group = workgroupUniformLoad(&chosen);
if (group == NONE) {
  break;
}
if (group % LANES == lane) {
  least[first_least + group] = FAR;
}
