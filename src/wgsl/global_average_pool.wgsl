// global_average_pool: y[n, c] = mean over the pixels of x[n, ·, c].
//
// x [N, P, C4], y [N, C4]; one lane a vec4 of channels, one grid row an image

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

struct Params {
  channels: u32, // C4
  pixels: u32, // P
}
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = group.x * 8u + lane;
  if (channel >= params.channels) {
    return;
  }
  let base = group.y * params.pixels * params.channels + channel;
  var sum = vec4f();
  for (var p = 0u; p < params.pixels; p++) {
    sum += x[base + p * params.channels];
  }
  y[group.y * params.channels + channel] = sum / f32(params.pixels);
}
