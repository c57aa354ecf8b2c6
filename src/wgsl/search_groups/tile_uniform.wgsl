// Tile for any adapter: addresses of queries depend only on the workgroup and
// the loop, so that they are uniform over the lanes.
@group(0) @binding(0) var<storage, read> queries: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wid.y * LANES + lane;
  let query = wid.x * 16u;
  let tile = query / 64u;
  let query_column = (wid.x % 4u) * 2u;
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
    var q = tile * params.dim * 16u + query_column;
    for (var k = 0u; k < params.dim; k++) {
      let b0 = bank[at];
      let b1 = bank[at + 8u];
      at += 16u;
      let x0 = queries[q];
      let x1 = queries[q + 8u];
      let x2 = queries[q + 1u];
      let x3 = queries[q + 9u];
      q += 16u;
      s0_0 += x0.x * b0;
      s0_1 += x0.x * b1;
      s1_0 += x0.y * b0;
      s1_1 += x0.y * b1;
      s2_0 += x0.z * b0;
      s2_1 += x0.z * b1;
      s3_0 += x0.w * b0;
      s3_1 += x0.w * b1;
      s4_0 += x1.x * b0;
      s4_1 += x1.x * b1;
      s5_0 += x1.y * b0;
      s5_1 += x1.y * b1;
      s6_0 += x1.z * b0;
      s6_1 += x1.z * b1;
      s7_0 += x1.w * b0;
      s7_1 += x1.w * b1;
      s8_0 += x2.x * b0;
      s8_1 += x2.x * b1;
      s9_0 += x2.y * b0;
      s9_1 += x2.y * b1;
      s10_0 += x2.z * b0;
      s10_1 += x2.z * b1;
      s11_0 += x2.w * b0;
      s11_1 += x2.w * b1;
      s12_0 += x3.x * b0;
      s12_1 += x3.x * b1;
      s13_0 += x3.y * b0;
      s13_1 += x3.y * b1;
      s14_0 += x3.z * b0;
      s14_1 += x3.z * b1;
      s15_0 += x3.w * b0;
      s15_1 += x3.w * b1;
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
