// Tile of 8 rows × 64 columns in registers alone: no workgroup memory, no
// subgroups, so it runs everywhere.
//
// A lane owns 2 vec4 columns of all 8 rows. The inputs' addresses depend only
// on the workgroup and the loops, so that they are uniform over the lanes.
//# Written out for the 8 rows.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x * 8u;
  let column = group.y * 16u + lane;
  let last = params.columns - 1u;
  let column0 = min(column, last);
  let column1 = min(column + 8u, last);
  //#for q 0 8
  let pixel{q} = pixel_of(row + {q}u);
  //#end

  //#for q 0 8
  var s{q}_0 = vec4f();
  var s{q}_1 = vec4f();
  //#end
  var k = group.z * params.w_batch;
  let first = group.z * params.x_batch;
  for (var ky = 0u; ky < params.kernel_height; ky++) {
    for (var kx = 0u; kx < params.kernel_width; kx++) {
      //#for q 0 8
      let tap{q} = tap_of(pixel{q}, ky, kx);
      //#end
      for (var c = 0u; c < params.channels; c++) {
        //#for q 0 8
        let x{q} = load_x(tap{q}, first + c);
        //#end
        //#use weights_at
        //#for q 0 8
        s{q}_0 = multiply_add(s{q}_0, x{q}, w0_0, w1_0, w2_0, w3_0);
        s{q}_1 = multiply_add(s{q}_1, x{q}, w0_1, w1_1, w2_1, w3_1);
        //#end
      }
    }
  }

  store(row, column, group.z, s0_0);
  store(row, column + 8u, group.z, s0_1);
  //#for q 1 8
  store(row + {q}u, column, group.z, s{q}_0);
  store(row + {q}u, column + 8u, group.z, s{q}_1);
  //#end
}
