// coreset_start: anchors[r] = mean over the start points s of |row r − s|
//
// packed  [panels, D, 16]  rows in panels (see pack_rows)
// starts  [S, D/4]         start points, row-major
// anchors [N]              one per row
//
// Nothing covers rows that equal every start point, unless it is picked: they
// count as far away.
//# Written out for a lane's 4 rows.

@group(0) @binding(0) var<storage, read> packed: array<vec4f>;
@group(0) @binding(1) var<storage, read> starts: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> anchors: array<f32>;

struct Params {
  rows: u32,
  base: u32, // row of anchors that row 0 of the panels is
  dim4: u32,
  columns: u32, // vec4f of 4 rows: panels * 16
  starts: u32,
  picked: u32, // 1: the start point is a pick, and covers rows that equal it
}
@group(0) @binding(3) var<uniform> params: Params;

const FAR = 3e38;

fn add(sum: vec4f, row: vec4f, start: f32) -> vec4f {
  let difference = row - start;
  return fma(difference, difference, sum);
}

fn add4(sum: vec4f, r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, start: vec4f) -> vec4f {
  return add(add(add(add(sum, r0, start.x), r1, start.y), r2, start.z), r3, start.w);
}

@compute @workgroup_size(64)
fn main(
  //#use place_in_grid
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.columns) {
    return;
  }
  let panel = i >> 4u;
  let column = i & 15u;
  var mean = vec4f();
  // Four start points at a time, the last one again where there are no more.
  let last = params.starts - 1u;
  for (var s = 0u; s < params.starts; s += 4u) {
    let s0 = s * params.dim4;
    let s1 = min(s + 1u, last) * params.dim4;
    let s2 = min(s + 2u, last) * params.dim4;
    let s3 = min(s + 3u, last) * params.dim4;
    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var at = panel * params.dim4 * 64u + column;
    for (var k = 0u; k < params.dim4; k++) {
      let r0 = packed[at];
      let r1 = packed[at + 16u];
      let r2 = packed[at + 32u];
      let r3 = packed[at + 48u];
      sum0 = add4(sum0, r0, r1, r2, r3, starts[s0 + k]);
      sum1 = add4(sum1, r0, r1, r2, r3, starts[s1 + k]);
      sum2 = add4(sum2, r0, r1, r2, r3, starts[s2 + k]);
      sum3 = add4(sum3, r0, r1, r2, r3, starts[s3 + k]);
      at += 64u;
    }
    mean += sqrt(sum0);
    mean += select(vec4f(), sqrt(sum1), s + 1u <= last);
    mean += select(vec4f(), sqrt(sum2), s + 2u <= last);
    mean += select(vec4f(), sqrt(sum3), s + 3u <= last);
  }
  mean /= f32(params.starts);
  if (params.picked == 0u) {
    mean = select(mean, vec4f(FAR), mean == vec4f());
  }
  let row = panel * 64u + (column & 7u) * 8u + (column >> 3u) * 4u;
  let at = params.base + row;
  if (row < params.rows) {
    anchors[at] = mean.x;
  }
  //#for q 1 4
  if (row + {q}u < params.rows) {
    anchors[at + {q}u] = mean.{xyzw[q]};
  }
  //#end
}
