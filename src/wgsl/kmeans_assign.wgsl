// kmeans_assign: the nearest codeword of every row, for many sub-quantisers at once
//
// rows      [.., D]         sub-quantiser m sees the elements from m · dims on
// codebooks [M, dims, K/4]  codewords innermost, K a multiple of 16
// codes     [R, M]          index of the nearest codeword, ties to the lowest
//
// The grid: x over rows, y over sub-quantisers. A lane has 4 rows × 16 codewords of
// direct differences in registers; the codewords' values have the same address for
// all lanes. Rows past the end are computed from the last one and not stored.
//# Written out for 4 rows r and 4 vec4 c of codewords.

@group(0) @binding(0) var<storage, read> rows: array<f32>;
@group(0) @binding(1) var<storage, read> codebooks: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;

struct Params {
  rows: u32,
  first: u32, // first row in `rows`
  dim: u32, // D
  dims: u32, // of a sub-quantiser
  subs: u32, // M
  codewords: u32, // without padding
  padded4: u32, // K/4
}
@group(0) @binding(3) var<uniform> params: Params;

override LANES: u32 = 64u;

struct Best {
  distance: f32,
  code: u32,
}

fn nearer(best: Best, distance: f32, code: u32) -> Best {
  if (code < params.codewords && distance < best.distance) {
    return Best(distance, code);
  }
  return best;
}

fn nearest4(best: Best, distances: vec4f, code: u32) -> Best {
  var result = nearer(best, distances.x, code);
  result = nearer(result, distances.y, code + 1u);
  result = nearer(result, distances.z, code + 2u);
  return nearer(result, distances.w, code + 3u);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.x * LANES + lane) * 4u;
  let last = params.rows - 1u;
  if (row > last) {
    return;
  }
  let start = group.y * params.dims;
  let at0 = (params.first + min(row + 0u, last)) * params.dim + start;
  let at1 = (params.first + min(row + 1u, last)) * params.dim + start;
  let at2 = (params.first + min(row + 2u, last)) * params.dim + start;
  let at3 = (params.first + min(row + 3u, last)) * params.dim + start;
  var best0 = Best(3e38, 0u);
  var best1 = Best(3e38, 0u);
  var best2 = Best(3e38, 0u);
  var best3 = Best(3e38, 0u);
  let book = group.y * params.dims * params.padded4;
  for (var block = 0u; block < params.padded4; block += 4u) {
    //#for r 0 4
    //#for c 0 4
    var s{r}_{c} = vec4f();
    //#end
    //#end
    var word = book + block;
    for (var d = 0u; d < params.dims; d++) {
      let c0 = codebooks[word];
      let c1 = codebooks[word + 1u];
      let c2 = codebooks[word + 2u];
      let c3 = codebooks[word + 3u];
      word += params.padded4;
      let x0 = rows[at0 + d];
      let x1 = rows[at1 + d];
      let x2 = rows[at2 + d];
      let x3 = rows[at3 + d];
      //#for r 0 4
      //#for c 0 4
      let d{r}_{c} = x{r} - c{c};
      //#end
      //#end
      //#for r 0 4
      //#for c 0 4
      s{r}_{c} += d{r}_{c} * d{r}_{c};
      //#end
      //#end
    }
    //#for r 0 4
    //#for c 0 4
    best{r} = nearest4(best{r}, s{r}_{c}, block * 4u + {4 * c}u);
    //#end
    //#end
  }
  let to = row * params.subs + group.y;
  codes[to] = best0.code;
  if (row + 1u <= last) { codes[to + 1u * params.subs] = best1.code; }
  if (row + 2u <= last) { codes[to + 2u * params.subs] = best2.code; }
  if (row + 3u <= last) { codes[to + 3u * params.subs] = best3.code; }
}
