// project_rows: y[r, o] = Σ_k (x[r, k] − shift[k]) · w[k, o]
//
// x [R, D/4]   row-major
// w [D, O/4]   a vec4f holds 4 outputs of one input
// shift [D/4]  subtracted from every row when SHIFT
// y [R', O/4]  row-major
//
// A lane owns 2 vec4f of outputs of 16 rows, all in registers. Joined from the
// weights part of conv2d that suits the tile, this part and the tile.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> shift: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  rows: u32,
  dim4: u32,
  columns: u32, // O / 4
  column_tiles: u32,
  from_row: u32, // first row of x
  to_row: u32, // first row of y
}
@group(0) @binding(4) var<uniform> params: Params;

override SHIFT: bool = false;
const LANES = 32u;

fn load(at: u32, k: u32) -> vec4f {
  if (SHIFT) {
    return x[at + k] - shift[k];
  }
  return x[at + k];
}

fn multiply_add(sum: vec4f, a: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return sum + a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
}

fn store(row: u32, column: u32, sum: vec4f) {
  if (row < params.rows && column < params.columns) {
    y[(params.to_row + row) * params.columns + column] = sum;
  }
}
