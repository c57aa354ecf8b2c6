// Tile of 64 queries in registers alone: keys and values come from the buffer, at
// addresses that are the same for all lanes.
//# Written out for the {d4} vec4 of a head.

fn key_row(group: vec3u, key: u32) -> u32 {
  return part_at(group.z, key, 1u, group.y);
}

fn value_row(group: vec3u, key: u32) -> u32 {
  return part_at(group.z, key, 2u, group.y);
}

fn key_at(at: u32) -> vec4f {
  return load_qkv(at);
}

fn value_at(at: u32) -> vec4f {
  return load_qkv(at);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = group.x * 64u + lane;
  //#for d 0 d4
  let e{d} = min({d}u, params.head - 1u);
  //#end
  //#use query
  for (var key = 0u; key < params.tokens; key += {together}u) {
    //#use keys
  }
  //#use result
}
