// ivf_scan: the row of the nearest inverted lists whose quantised form is nearest
//
// |q − x̂|² − |q|² = (|c|² − 2 q · c) + (|x̂|² − |c|²) − Σ_m 2 q_m · p_m for a row
// x̂ = c + p of list c: the first term is the list's, the second the row's, the last
// a sum of table entries (asymmetric distances).
//
// products [Q, padded]  −2 q · c; used up
// norms    [lists]      |c|²
// offsets  [lists + 1]  where each list begins
// ids      [N]          row of each entry, ascending within a list
// codes    [N, words]   four codes a word
// terms    [N]          |x̂|² − |c|²
// tables   [block, 4 · words, K]  −2 q_m · p_m of each codeword
// indices  [Q]          the row; NONE where all lists are empty
//
// One workgroup is one query. It scans the `probes` nearest lists that have rows.

@group(0) @binding(0) var<storage, read_write> products: array<f32>;
@group(0) @binding(1) var<storage, read> norms: array<f32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> ids: array<u32>;
@group(0) @binding(4) var<storage, read> codes: array<u32>;
@group(0) @binding(5) var<storage, read> terms: array<f32>;
@group(0) @binding(6) var<storage, read> tables: array<f32>;
@group(0) @binding(7) var<storage, read_write> indices: array<u32>;

struct Params {
  first: u32, // query of the first workgroup
  lists: u32,
  padded: u32,
  probes: u32,
  words: u32,
  codewords: u32, // K
}
@group(0) @binding(8) var<uniform> params: Params;

const FAR = 3e38;
const NONE = 0xffffffffu;

var<workgroup> values: array<f32, 64>;
var<workgroup> places: array<u32, 64>;
var<workgroup> chosen: u32;
var<workgroup> chosen_score: f32;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (params.first + group.x) * params.padded;
  let table = group.x * params.words * 4u * params.codewords;
  let k = params.codewords;
  var best = FAR;
  var best_id = NONE;
  for (var probe = 0u; probe < params.probes; probe++) {
    var value = FAR;
    var place = NONE;
    for (var list = lane; list < params.lists; list += 64u) {
      let product = products[first + list];
      if (product < FAR && offsets[list] < offsets[list + 1u]) {
        let score = product + norms[list];
        if (score < value) {
          value = score;
          place = list;
        }
      }
    }
    values[lane] = value;
    places[lane] = place;
    workgroupBarrier();
    if (lane == 0u) {
      for (var i = 1u; i < 64u; i++) {
        if (values[i] < value || (values[i] == value && places[i] < place)) {
          value = values[i];
          place = places[i];
        }
      }
      chosen = place;
      chosen_score = value;
    }
    let list = workgroupUniformLoad(&chosen);
    let score = workgroupUniformLoad(&chosen_score);
    if (list == NONE) {
      break;
    }
    if (list % 64u == lane) {
      products[first + list] = FAR;
    }
    for (var row = offsets[list] + lane; row < offsets[list + 1u]; row += 64u) {
      var sum = score + terms[row];
      var at = table;
      for (var w = 0u; w < params.words; w++) {
        let word = codes[row * params.words + w];
        let low = tables[at + (word & 255u)] +
          tables[at + k + ((word >> 8u) & 255u)];
        let high = tables[at + 2u * k + ((word >> 16u) & 255u)] +
          tables[at + 3u * k + (word >> 24u)];
        sum += low + high;
        at += 4u * k;
      }
      let id = ids[row];
      if (sum < best || (sum == best && id < best_id)) {
        best = sum;
        best_id = id;
      }
    }
  }
  workgroupBarrier();
  values[lane] = best;
  places[lane] = best_id;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      if (values[i] < best || (values[i] == best && places[i] < best_id)) {
        best = values[i];
        best_id = places[i];
      }
    }
    indices[params.first + group.x] = best_id;
  }
}
