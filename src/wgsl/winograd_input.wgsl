// winograd_input: first step of a 3 × 3, stride 1 convolution by Winograd
// F(4×4, 3×3) (Lavin & Gray 2016): V = Bᵀ d B for every 6 × 6 input tile, which
// yields 4 × 4 outputs. The points are 0, ±3/4, ±3/2 and ∞: they halve the error
// of 0, ±1, ±2 and ∞.
//
// x [N, H, W, C4], v [36, T, C4] with T = N · ⌈OH/4⌉ · ⌈OW/4⌉ tiles
// A lane transforms 4 channels of one tile, in named registers; the grid: x over
// channels, y and z over tiles
//# Written out for the 6 columns and rows of a tile.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

struct Params {
  channels: u32, // C4
  tiles: u32, // T
  tiles_y: u32,
  tiles_x: u32,
  height: u32,
  width: u32,
  pad_top: u32,
  pad_left: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

struct Six {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
  e: vec4f,
  f: vec4f,
}

fn transform(v: Six) -> Six {
  let p = v.e - 2.25 * v.c;
  let q = 0.75 * v.d - 1.6875 * v.b;
  let r = v.e - 0.5625 * v.c;
  let s = 1.5 * v.d - 0.84375 * v.b;
  return Six(
    1.265625 * v.a - 2.8125 * v.c + v.e,
    p + q,
    p - q,
    r + s,
    r - s,
    1.265625 * v.b - 2.8125 * v.d + v.f,
  );
}

fn load(image: u32, iy: u32, ix: u32, channel: u32) -> vec4f {
  if (iy < params.height && ix < params.width) {
    return x[((image * params.height + iy) * params.width + ix) * params.channels + channel];
  }
  return vec4f();
}

fn load_column(image: u32, top: u32, ix: u32, channel: u32) -> Six {
  return transform(Six(
    load(image, top, ix, channel),
    //#for q 1 6
    load(image, top + {q}u, ix, channel),
    //#end
  ));
}

fn store_row(row: u32, at: u32, v: Six) {
  let t = transform(v);
  let stride = params.tiles * params.channels;
  let first = row * 6u * stride + at;
  y[first] = t.a;
  y[first + stride] = t.b;
  y[first + 2u * stride] = t.c;
  y[first + 3u * stride] = t.d;
  y[first + 4u * stride] = t.e;
  y[first + 5u * stride] = t.f;
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
  // Positions before the image wrap to large numbers, outside as well.
  let top = (line - image * params.tiles_y) * 4u - params.pad_top;
  let left = (tile - line * params.tiles_x) * 4u - params.pad_left;

  let c0 = load_column(image, top, left, channel);
  //#for q 1 6
  let c{q} = load_column(image, top, left + {q}u, channel);
  //#end
  let at = tile * params.channels + channel;
  //#for q 0 6
  store_row({q}u, at, Six(c0.{abcdef[q]}, c1.{abcdef[q]}, c2.{abcdef[q]}, c3.{abcdef[q]}, c4.{abcdef[q]}, c5.{abcdef[q]}));
  //#end
}
