// Weights in float32 in an image, where llvmpipe loads much faster: in a loop it
// takes a buffer's values lane by lane, with branches, and an image's without.
@group(0) @binding(1) var w: texture_storage_2d<rgba32float, read>;

fn load_w(at: u32) -> vec4f {
  return textureLoad(w, vec2u(at & 1023u, at >> 10u));
}

