// The bank in a buffer.
@group(0) @binding(1) var<storage, read> bank: array<vec4f>;

fn load_bank(at: u32) -> vec4f {
  return bank[at];
}

