// tokens: y[n, t, c] = offset[t, c] + x[n, t - prefix, c], the latter from the
// token `prefix` on: what a transformer's blocks begin with.
//
// x      [N, T - prefix, C4]   patches
// offset [T, C4]               tokens of no patch, and positions
// y      [N, T, C4]
// Workgroups of 8 vec4 channels × 8 rows

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> offset: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

struct Params {
  rows: u32, // N · T
  tokens: u32, // T
  prefix: u32,
  channels: u32, // C4
}
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let row = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.channels || row >= params.rows) {
    return;
  }
  let image = row / params.tokens;
  let token = row - image * params.tokens;
  var v = offset[token * params.channels + channel];
  if (token >= params.prefix) {
    let place = image * (params.tokens - params.prefix) + token - params.prefix;
    v += x[place * params.channels + channel];
  }
  y[row * params.channels + channel] = v;
}
