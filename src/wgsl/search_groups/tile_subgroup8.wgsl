@group(0) @binding(0) var<storage, read> queries: array<f32>;

// For subgroups of exactly 8 lanes (llvmpipe): every lane loads two queries'
// values and the others get them by subgroupBroadcast, since a load costs per
// lane there and a broadcast next to nothing.
@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wid.y * 8u + lane;
  let query = wid.x * 16u;
  let tile = query / 64u;
  // Query 16 t + r of a panel is component r % 4 of vec4f (r / 4 % 2) * 8 + 2 t + r / 8.
  let query_lane = ((lane >> 2u) * 8u + (wid.x % 4u) * 2u) * 4u + (lane & 3u);
  let first_panel = (group >> 3u) * params.panels_per_group;
  let column = group & 7u;
  var least0 = FAR;
  var least1 = FAR;
  var least2 = FAR;
  var least3 = FAR;
  var least4 = FAR;
  var least5 = FAR;
  var least6 = FAR;
  var least7 = FAR;
  var least8 = FAR;
  var least9 = FAR;
  var least10 = FAR;
  var least11 = FAR;
  var least12 = FAR;
  var least13 = FAR;
  var least14 = FAR;
  var least15 = FAR;
  for (var p = 0u; p < params.panels_per_group; p++) {
    let panel = min(first_panel + p, params.panels - 1u);
    var s0_0 = vec4f();
    var s0_1 = vec4f();
    var s1_0 = vec4f();
    var s1_1 = vec4f();
    var s2_0 = vec4f();
    var s2_1 = vec4f();
    var s3_0 = vec4f();
    var s3_1 = vec4f();
    var s4_0 = vec4f();
    var s4_1 = vec4f();
    var s5_0 = vec4f();
    var s5_1 = vec4f();
    var s6_0 = vec4f();
    var s6_1 = vec4f();
    var s7_0 = vec4f();
    var s7_1 = vec4f();
    var s8_0 = vec4f();
    var s8_1 = vec4f();
    var s9_0 = vec4f();
    var s9_1 = vec4f();
    var s10_0 = vec4f();
    var s10_1 = vec4f();
    var s11_0 = vec4f();
    var s11_1 = vec4f();
    var s12_0 = vec4f();
    var s12_1 = vec4f();
    var s13_0 = vec4f();
    var s13_1 = vec4f();
    var s14_0 = vec4f();
    var s14_1 = vec4f();
    var s15_0 = vec4f();
    var s15_1 = vec4f();
    var at = panel * params.dim * 16u + column;
    var q = tile * params.dim * 64u + query_lane;
    for (var k = 0u; k < params.dim; k++) {
      let b0 = bank[at];
      let b1 = bank[at + 8u];
      at += 16u;
      let x0 = queries[q];
      let x1 = queries[q + 4u];
      q += 64u;
      let a0 = subgroupBroadcast(x0, 0u);
      s0_0 += a0 * b0;
      s0_1 += a0 * b1;
      let a1 = subgroupBroadcast(x0, 1u);
      s1_0 += a1 * b0;
      s1_1 += a1 * b1;
      let a2 = subgroupBroadcast(x0, 2u);
      s2_0 += a2 * b0;
      s2_1 += a2 * b1;
      let a3 = subgroupBroadcast(x0, 3u);
      s3_0 += a3 * b0;
      s3_1 += a3 * b1;
      let a4 = subgroupBroadcast(x0, 4u);
      s4_0 += a4 * b0;
      s4_1 += a4 * b1;
      let a5 = subgroupBroadcast(x0, 5u);
      s5_0 += a5 * b0;
      s5_1 += a5 * b1;
      let a6 = subgroupBroadcast(x0, 6u);
      s6_0 += a6 * b0;
      s6_1 += a6 * b1;
      let a7 = subgroupBroadcast(x0, 7u);
      s7_0 += a7 * b0;
      s7_1 += a7 * b1;
      let a8 = subgroupBroadcast(x1, 0u);
      s8_0 += a8 * b0;
      s8_1 += a8 * b1;
      let a9 = subgroupBroadcast(x1, 1u);
      s9_0 += a9 * b0;
      s9_1 += a9 * b1;
      let a10 = subgroupBroadcast(x1, 2u);
      s10_0 += a10 * b0;
      s10_1 += a10 * b1;
      let a11 = subgroupBroadcast(x1, 3u);
      s11_0 += a11 * b0;
      s11_1 += a11 * b1;
      let a12 = subgroupBroadcast(x1, 4u);
      s12_0 += a12 * b0;
      s12_1 += a12 * b1;
      let a13 = subgroupBroadcast(x1, 5u);
      s13_0 += a13 * b0;
      s13_1 += a13 * b1;
      let a14 = subgroupBroadcast(x1, 6u);
      s14_0 += a14 * b0;
      s14_1 += a14 * b1;
      let a15 = subgroupBroadcast(x1, 7u);
      s15_0 += a15 * b0;
      s15_1 += a15 * b1;
    }
    if (first_panel + p < params.panels) {
      let n0 = norms[panel * 16u + 2u * (column & 7u)];
      let n1 = norms[panel * 16u + 2u * (column & 7u) + 1u];
      let i0 = images_of(panel * 16u + 2u * (column & 7u));
      let i1 = images_of(panel * 16u + 2u * (column & 7u) + 1u);
      least0 = min(least0, nearest(query + 0u, s0_0, s0_1, n0, n1, i0, i1));
      least1 = min(least1, nearest(query + 1u, s1_0, s1_1, n0, n1, i0, i1));
      least2 = min(least2, nearest(query + 2u, s2_0, s2_1, n0, n1, i0, i1));
      least3 = min(least3, nearest(query + 3u, s3_0, s3_1, n0, n1, i0, i1));
      least4 = min(least4, nearest(query + 4u, s4_0, s4_1, n0, n1, i0, i1));
      least5 = min(least5, nearest(query + 5u, s5_0, s5_1, n0, n1, i0, i1));
      least6 = min(least6, nearest(query + 6u, s6_0, s6_1, n0, n1, i0, i1));
      least7 = min(least7, nearest(query + 7u, s7_0, s7_1, n0, n1, i0, i1));
      least8 = min(least8, nearest(query + 8u, s8_0, s8_1, n0, n1, i0, i1));
      least9 = min(least9, nearest(query + 9u, s9_0, s9_1, n0, n1, i0, i1));
      least10 = min(least10, nearest(query + 10u, s10_0, s10_1, n0, n1, i0, i1));
      least11 = min(least11, nearest(query + 11u, s11_0, s11_1, n0, n1, i0, i1));
      least12 = min(least12, nearest(query + 12u, s12_0, s12_1, n0, n1, i0, i1));
      least13 = min(least13, nearest(query + 13u, s13_0, s13_1, n0, n1, i0, i1));
      least14 = min(least14, nearest(query + 14u, s14_0, s14_1, n0, n1, i0, i1));
      least15 = min(least15, nearest(query + 15u, s15_0, s15_1, n0, n1, i0, i1));
    }
  }
  store(query + 0u, group, least0);
  store(query + 1u, group, least1);
  store(query + 2u, group, least2);
  store(query + 3u, group, least3);
  store(query + 4u, group, least4);
  store(query + 5u, group, least5);
  store(query + 6u, group, least6);
  store(query + 7u, group, least7);
  store(query + 8u, group, least8);
  store(query + 9u, group, least9);
  store(query + 10u, group, least10);
  store(query + 11u, group, least11);
  store(query + 12u, group, least12);
  store(query + 13u, group, least13);
  store(query + 14u, group, least14);
  store(query + 15u, group, least15);
}
