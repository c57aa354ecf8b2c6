/** Sizes of the reference, as the kernel has them. */
export interface ReferenceAttentionSizes {
  readonly images: number;
  readonly tokens: number;
  readonly heads: number;
  readonly head: number;
  readonly scale: number;
}

/**
 * Self-attention in float64, through the whole matrix of scores.
 *
 * @param qkv `[N, T, 3, H, D]`
 * @returns `[N, T, H, D]`
 */
export function attention(
  { images, tokens, heads, head, scale }: ReferenceAttentionSizes,
  qkv: ArrayLike<number>,
): Float64Array {
  const width = heads * head;
  const y = new Float64Array(images * tokens * width);
  for (let n = 0; n < images; n++) {
    for (let h = 0; h < heads; h++) {
      const at = (token: number, part: number): number =>
        ((n * tokens + token) * 3 + part) * width + h * head;
      for (let t = 0; t < tokens; t++) {
        const scores = Array.from({ length: tokens }, (_, s) => {
          let dot = 0;
          for (let d = 0; d < head; d++) {
            dot += qkv[at(t, 0) + d]! * qkv[at(s, 1) + d]!;
          }
          return dot * scale;
        });
        const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
        const weights = scores.map((score) => Math.exp(score - highest));
        const total = weights.reduce((a, b) => a + b, 0);
        for (let d = 0; d < head; d++) {
          let sum = 0;
          for (let s = 0; s < tokens; s++) {
            sum += weights[s]! * qkv[at(s, 2) + d]!;
          }
          y[(n * tokens + t) * width + h * head + d] = sum / total;
        }
      }
    }
  }
  return y;
}
