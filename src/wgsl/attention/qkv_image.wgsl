// Queries, keys and values in an image, which llvmpipe loads faster; see
// conv2d/weights_image_f32.wgsl.
@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;

fn load_qkv(at: u32) -> vec4f {
  return textureLoad(qkv, vec2u(at & 1023u, at >> 10u));
}

