// The sum over all lanes, through workgroup memory.
var<workgroup> parts: array<f32, 64>;

fn total(lane: u32, v: vec4f) -> f32 {
  workgroupBarrier();
  parts[lane] = v.x + v.y + v.z + v.w;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      parts[lane] += parts[lane + half];
    }
  }
  workgroupBarrier();
  return parts[0];
}

