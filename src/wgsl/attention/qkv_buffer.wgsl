// Queries, keys and values in a buffer.
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;

fn load_qkv(at: u32) -> vec4f {
  return qkv[at];
}

