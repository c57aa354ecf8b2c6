// Tile of 64 queries, for GPUs: {step} keys and values at a time lie in workgroup
// memory, 8 KiB each at most.
//# Written out for the {d4} vec4 of a head.

var<workgroup> k_tile: array<vec4f, {step * d4}>; // [{step}, {d4}]
var<workgroup> v_tile: array<vec4f, {step * d4}>; // [{step}, {d4}]

fn key_row(group: vec3u, key: u32) -> u32 {
  return key % {step}u * {d4}u;
}

fn value_row(group: vec3u, key: u32) -> u32 {
  return key % {step}u * {d4}u;
}

fn key_at(at: u32) -> vec4f {
  return k_tile[at];
}

fn value_at(at: u32) -> vec4f {
  return v_tile[at];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = group.x * 64u + lane;
  //#for d 0 d4
  let e{d} = {d}u;
  //#end
  //#use query
  for (var first = 0u; first < params.tokens; first += {step}u) {
    workgroupBarrier();
    for (var i = lane; i < {step * d4}u; i += 64u) {
      let d = min(i % {d4}u, params.head - 1u);
      k_tile[i] = load_qkv(part_at(group.z, first + i / {d4}u, 1u, group.y) + d);
      v_tile[i] = load_qkv(part_at(group.z, first + i / {d4}u, 2u, group.y) + d);
    }
    workgroupBarrier();
    for (var key = first; key < first + {step}u; key += {together}u) {
      //#use keys
    }
  }
  //#use result
}
