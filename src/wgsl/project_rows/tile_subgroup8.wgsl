// Tile for subgroups of exactly 8 lanes (llvmpipe): every lane loads two rows and
// the others get them by subgroupBroadcast.
//# Written out for 16 rows.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = wid.y * grid.x + wid.x;
  let row_tile = tile / params.column_tiles;
  let row = row_tile * 16u;
  let column = (tile - row_tile * params.column_tiles) * 2u * 8u + lane;
  if (row >= params.rows) {
    return;
  }
  let last = params.columns - 1u;
  let column0 = min(column, last);
  let column1 = min(column + 8u, last);
  let last_row = params.rows - 1u;
  let x0_at = (params.from_row + min(row + lane, last_row)) * params.dim4;
  let x1_at = (params.from_row + min(row + 8u + lane, last_row)) * params.dim4;
  //#for q 0 16
  var s{q}_0 = vec4f();
  var s{q}_1 = vec4f();
  //#end
  var at = 0u;
  for (var k = 0u; k < params.dim4; k++) {
    //#use weights_at
    let x0 = load(x0_at, k);
    let x1 = load(x1_at, k);
    //#for q 0 16
    let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
    s{q}_0 = multiply_add(s{q}_0, a{q}, w0_0, w1_0, w2_0, w3_0);
    s{q}_1 = multiply_add(s{q}_1, a{q}, w0_1, w1_1, w2_1, w3_1);
    //#end
  }
  //#for q 0 16
  store(row + {q}u, column, s{q}_0);
  store(row + {q}u, column + 8u, s{q}_1);
  //#end
}
