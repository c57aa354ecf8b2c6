// Weights in float16 in an image, packed in pairs; see weights_image_f32.wgsl.
@group(0) @binding(1) var w: texture_storage_2d<rg32uint, read>;

fn load_w(at: u32) -> vec4f {
  let packed = textureLoad(w, vec2u(at & 1023u, at >> 10u));
  return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

