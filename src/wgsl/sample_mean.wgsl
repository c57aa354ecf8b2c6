// sample_mean: mean[k] = the mean over `samples` rows, `step` rows apart
//
// rows [R, D/4]  row-major
// mean [D/4]

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mean: array<vec4f>;

struct Params {
  dim4: u32,
  samples: u32,
  step: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let k = group.x * 8u + lane;
  if (k >= params.dim4) {
    return;
  }
  var sum = vec4f();
  for (var i = 0u; i < params.samples; i++) {
    sum += rows[i * params.step * params.dim4 + k];
  }
  mean[k] = sum / f32(params.samples);
}
