// The sum over all lanes, which are one subgroup.
fn total(lane: u32, v: vec4f) -> f32 {
  return subgroupAdd(v.x + v.y + v.z + v.w);
}

