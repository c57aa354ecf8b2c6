// Tile of {rows} rows × 64 columns for subgroups of exactly 8 lanes (llvmpipe).
//
// One workgroup is one subgroup. Each lane loads the inputs of {rows / 8} rows and the
// others get them by subgroupBroadcast: on llvmpipe a load costs per lane and
// word, a broadcast next to nothing. A lane owns 2 vec4 columns of all {rows} rows,
// in named registers, since naga clamps every dynamic index.
//# Written out for 16 rows, and for 32 where there are many: then every weight is
//# loaded for twice the outputs.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * {rows}u;
  let column = group.y * 16u + lane;
  let last = params.columns - 1u;
  let column0 = min(column, last);
  let column1 = min(column + 8u, last);
  let pixel0 = pixel_of(row + lane);
  //#for p 1 rows/8
  let pixel{p} = pixel_of(row + {8 * p}u + lane);
  //#end

  //#for q 0 rows
  var s{q}_0 = vec4f();
  var s{q}_1 = vec4f();
  //#end
  var k = group.z * params.w_batch;
  let first = group.z * params.x_batch;
  for (var ky = 0u; ky < params.kernel_height; ky++) {
    for (var kx = 0u; kx < params.kernel_width; kx++) {
      //#for p 0 rows/8
      let tap{p} = tap_of(pixel{p}, ky, kx);
      //#end
      for (var c = 0u; c < params.channels; c++) {
        //#for p 0 rows/8
        let x{p} = load_x(tap{p}, first + c);
        //#end
        //#use weights_at
        //#for q 0 rows
        let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
        s{q}_0 = multiply_add(s{q}_0, a{q}, w0_0, w1_0, w2_0, w3_0);
        s{q}_1 = multiply_add(s{q}_1, a{q}, w0_1, w1_1, w2_1, w3_1);
        //#end
      }
    }
  }

  store(row, column, group.z, s0_0);
  store(row, column + 8u, group.z, s0_1);
  //#for q 1 rows
  store(row + {q}u, column, group.z, s{q}_0);
  store(row + {q}u, column + 8u, group.z, s{q}_1);
  //#end
}
