// attention: y[n, t, h] = Σ_s softmax_s(scale · q[n, t, h] · k[n, s, h]) v[n, s, h]
//
// qkv [N, T, 3, H, D4]   queries, keys and values of H heads
// y   [N, T, H, D4]
//
// No matrix of tokens by tokens exists: keys are gone through in tiles, and what
// was summed up so far shrinks whenever a larger score turns up. Scores are in
// powers of 2. The grid: x over tiles of queries, y over heads, z over images.
// Joined from a part that declares `qkv`, this part and a tile part with `main`.

@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

struct Params {
  tokens: u32, // T
  heads: u32, // H
  head: u32, // D4
  scale: f32, // times log2(e)
}
@group(0) @binding(2) var<uniform> params: Params;

// Below every score; finite, so that differences of it are.
const LOWEST = -1e38;

// First vec4 of a token's queries (0), keys (1) or values (2) of a head.
fn part_at(image: u32, token: u32, part: u32, head: u32) -> u32 {
  let row = image * params.tokens + min(token, params.tokens - 1u);
  return ((row * 3u + part) * params.heads + head) * params.head;
}

