// winograd_output: last step of a 3 × 3, stride 1 convolution by Winograd
// F(4×4, 3×3): Y = activate(Aᵀ M A + bias + residual), 4 × 4 pixels a tile.
//
// x        [36, T, O4]       the 36 matrix products, T tiles
// bias     [O4]
// residual [N, OH, OW, O4]   read when RESIDUAL
// y        [N, OH, OW, O4]
// A lane transforms 4 channels of one tile; the grid: x over channels, y and z
// over tiles
//# Written out for the 6 columns and 4 rows of a tile.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

struct Params {
  channels: u32, // O4
  tiles: u32, // T
  tiles_y: u32,
  tiles_x: u32,
  out_height: u32,
  out_width: u32,

  // see activation.wgsl
  act_low: f32,
  act_high: f32,
}
@group(0) @binding(4) var<uniform> params: Params;

override RESIDUAL: bool = false;

struct Four {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

fn transform(v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f, v4: vec4f, v5: vec4f) -> Four {
  let p = v1 + v2;
  let q = v1 - v2;
  let r = v3 + v4;
  let s = v3 - v4;
  return Four(
    v0 + p + r,
    0.75 * q + 1.5 * s,
    0.5625 * p + 2.25 * r,
    0.421875 * q + 3.375 * s + v5,
  );
}

fn load_column(column: u32, at: u32) -> Four {
  let stride = params.tiles * params.channels;
  let first = column * stride + at;
  return transform(
    x[first],
    //#for q 1 6
    x[first + {6 * q}u * stride],
    //#end
  );
}

fn store(image: u32, oy: u32, ox: u32, channel: u32, sum: vec4f) {
  if (oy >= params.out_height || ox >= params.out_width) {
    return;
  }
  let at = ((image * params.out_height + oy) * params.out_width + ox) * params.channels + channel;
  var v = sum;
  if (RESIDUAL) {
    v += residual[at];
  }
  y[at] = activate(v, params.act_low, params.act_high);
}

@compute @workgroup_size(8, 8)
fn main(
  //#use place_in_grid_2d
) {
  let channel = group.x * 8u + local.x;
  let tile = (group.z * groups.y + group.y) * 8u + local.y;
  if (channel >= params.channels || tile >= params.tiles) {
    return;
  }
  let line = tile / params.tiles_x;
  let image = line / params.tiles_y;
  let oy = (line - image * params.tiles_y) * 4u;
  let ox = (tile - line * params.tiles_x) * 4u;
  let at = tile * params.channels + channel;
  let shift = bias[channel];

  //#for q 0 6
  let c{q} = load_column({q}u, at);
  //#end
  let r0 = transform(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a);
  store(image, oy, ox, channel, r0.a + shift);
  store(image, oy, ox + 1u, channel, r0.b + shift);
  store(image, oy, ox + 2u, channel, r0.c + shift);
  store(image, oy, ox + 3u, channel, r0.d + shift);
  //#for q 1 4
  let r{q} = transform(c0.{abcdef[q]}, c1.{abcdef[q]}, c2.{abcdef[q]}, c3.{abcdef[q]}, c4.{abcdef[q]}, c5.{abcdef[q]});
  store(image, oy + {q}u, ox, channel, r{q}.a + shift);
  store(image, oy + {q}u, ox + 1u, channel, r{q}.b + shift);
  store(image, oy + {q}u, ox + 2u, channel, r{q}.c + shift);
  store(image, oy + {q}u, ox + 3u, channel, r{q}.d + shift);
  //#end
}
