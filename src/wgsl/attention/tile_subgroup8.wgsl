// Tile of {rows} queries for subgroups of exactly 8 lanes (llvmpipe).
//
// A step takes 32 keys. Scores are computed as in a matrix product: a lane has 4
// keys, loads {rows / 8} queries, and the others get those by subgroupBroadcast.
// Then a lane has {columns} vec4 of the values, and gets the others' weights: 8
// keys at a time, so that sums stay in registers for as long.
//# Written out for the {rows} queries and for a lane's vec4 of a head.

fn multiply_add(sum: vec4f, a: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return sum + a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
}

// subgroupMax(), which llvmpipe goes through lane by lane.
fn highest_of(x: f32) -> f32 {
  //#for l 0 8
  let x{l} = subgroupBroadcast(x, {l}u);
  //#end
  return max(max(max(x0, x1), max(x2, x3)), max(max(x4, x5), max(x6, x7)));
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = group.x * {rows}u;
  //#for p 0 rows/8
  let q_at{p} = part_at(group.z, query + {8 * p}u + lane, 0u, group.y);
  //#end
  //#for c 0 columns
  let d{c} = min(lane + {8 * c}u, params.head - 1u);
  //#end
  //#for q 0 rows
  //#for c 0 columns
  var o{q}_{c} = vec4f();
  //#end
  var highest{q} = LOWEST;
  var sum{q} = 0.0;
  //#end
  for (var first = 0u; first < params.tokens; first += 32u) {
    let key = first + 4u * lane;
    //#for j 0 4
    let k_at{j} = part_at(group.z, key + {j}u, 1u, group.y);
    //#end
    //#for q 0 rows
    var s{q} = vec4f();
    //#end
    for (var d = 0u; d < params.head; d++) {
      //#for p 0 rows/8
      let x{p} = load_qkv(q_at{p} + d);
      //#end
      //#for j 0 4
      let k{j} = load_qkv(k_at{j} + d);
      //#end
      //#for i 0 4
      let w{i} = vec4f(k0.{xyzw[i]}, k1.{xyzw[i]}, k2.{xyzw[i]}, k3.{xyzw[i]});
      //#end
      //#for q 0 rows
      s{q} = multiply_add(s{q}, subgroupBroadcast(x{q / 8}, {q % 8}u), w0, w1, w2, w3);
      //#end
    }
    let inside = vec4u(key) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.tokens);
    //#for q 0 rows
    s{q} = select(vec4f(LOWEST), s{q} * params.scale, inside);
    let most{q} = max(max(s{q}.x, s{q}.y), max(s{q}.z, s{q}.w));
    let next{q} = max(highest_of(most{q}), highest{q});
    let shrink{q} = exp2(highest{q} - next{q});
    s{q} = exp2(s{q} - next{q});
    sum{q} = sum{q} * shrink{q} + s{q}.x + s{q}.y + s{q}.z + s{q}.w;
    //#for c 0 columns
    o{q}_{c} *= shrink{q};
    //#end
    highest{q} = next{q};
    //#end
    for (var j = 0u; j < 4u; j++) {
      //#for k 0 8
      let v_at{k} = part_at(group.z, first + {4 * k}u + j, 2u, group.y);
      //#for c 0 columns
      let v{k}_{c} = load_qkv(v_at{k} + d{c});
      //#end
      //#end
      //#for q 0 rows
      //#for k 0 8
      let b{k}_{q} = subgroupBroadcast(s{q}.x, {k}u);
      //#for c 0 columns
      o{q}_{c} += b{k}_{q} * v{k}_{c};
      //#end
      //#end
      s{q} = s{q}.yzwx;
      //#end
    }
  }
  //#for q 0 rows
  let total{q} = subgroupAdd(sum{q});
  if (query + {q}u < params.tokens) {
    let to{q} = ((group.z * params.tokens + query + {q}u) * params.heads + group.y) * params.head;
    //#for c 0 columns
    if (lane + {8 * c}u < params.head) {
      y[to{q} + lane + {8 * c}u] = o{q}_{c} / total{q};
    }
    //#end
  }
  //#end
}
