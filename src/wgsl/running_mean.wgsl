// running_mean: adds a batch of rows to the mean of each position, and centres it
// (Chan, Golub and LeVeque's update)
//
// rows  [positions, slots, D/4]  `count` rows of the batch, and one more: on return
//                                the rows less their own mean, then the difference
//                                of the means times √(before · count / after)
// means [positions, D/4]
//
// The outer products of all count + 1 rows are what the batch adds to the sums of
// centred products: nothing large is ever subtracted from something large.
// One lane is 4 dimensions of one position.

@group(0) @binding(0) var<storage, read_write> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> means: array<vec4f>;

struct Params {
  total4: u32, // positions · D/4
  dim4: u32,
  slots: u32,
  count: u32,
  before: u32, // rows that the mean holds already
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.total4) {
    return;
  }
  let position = i / params.dim4;
  let first = (position * (params.slots - 1u) * params.dim4) + i;
  var sum = vec4f();
  for (var n = 0u; n < params.count; n++) {
    sum += rows[first + n * params.dim4];
  }
  let count = f32(params.count);
  let before = f32(params.before);
  let mean = sum / count;
  for (var n = 0u; n < params.count; n++) {
    rows[first + n * params.dim4] -= mean;
  }
  var difference = mean;
  var old = vec4f();
  if (params.before > 0u) {
    old = means[i];
    difference = mean - old;
  }
  rows[first + params.count * params.dim4] =
    difference * sqrt(before * count / (before + count));
  means[i] = old + difference * (count / (before + count));
}
