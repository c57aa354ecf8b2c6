// pair_distance: distances[r] = |x_r − y_pair(r)|², for pairs that lie in the chunk
//
// x         [rows, D/4]   row-major chunk of a row set, from row x_first on
// pairs     [N]           row of the other set for each row of the first
// y         [count, D/4]  row-major chunk of the other set, from y_first on
// distances [N]           pairs in other chunks are left alone; FAR by FILL

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> pairs: array<u32>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;

struct Params {
  rows: u32,
  dim4: u32,
  x_first: u32,
  y_first: u32,
  count: u32,
}
@group(0) @binding(4) var<uniform> params: Params;

override FILL: bool = false;

const FAR = 3e38;

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  let place = params.x_first + row;
  let other = pairs[place] - params.y_first;
  if (other >= params.count) {
    if (FILL) {
      distances[place] = FAR;
    }
    return;
  }
  let a = row * params.dim4;
  let b = other * params.dim4;
  var sum = vec4f();
  for (var k = 0u; k < params.dim4; k++) {
    let difference = x[a + k] - y[b + k];
    sum = fma(difference, difference, sum);
  }
  distances[place] = (sum.x + sum.y) + (sum.z + sum.w);
}
