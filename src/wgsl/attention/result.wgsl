if (query < params.tokens) {
  let to = ((group.z * params.tokens + query) * params.heads + group.y) * params.head;
  //#for d 0 d4
  if ({d}u < params.head) {
    y[to + {d}u] = o{d} / sum;
  }
  //#end
}
