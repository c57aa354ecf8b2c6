/**
 * Which pixels of a ground-truth mask are anomalous: `half` takes those of at
 * least 128 of 255; `reference` takes only those still at 255 after a bilinear
 * resize, as the published PatchCore evaluates, which shrinks every defect.
 */
export type MaskRule = "half" | "reference";

/** A mask of zeros and ones. */
export interface BinaryMask {
  /** `[H, W]`, 1 where the pixel is anomalous, else 0. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /**
   * Whether the image counts as defective in metrics over defective images.
   * Under `reference` any grey pixel makes it so, even if none is anomalous.
   */
  readonly defective: boolean;
}

/**
 * Turns a grey ground-truth mask into a binary one.
 *
 * @param gray `[H, W]`, 0 (normal) to 255 (anomalous).
 * @param rule Which grey values are anomalous.
 */
export function applyMaskRule(
  gray: Uint8Array | Uint8ClampedArray,
  rule: MaskRule,
): BinaryMask {
  const least = rule === "reference" ? 255 : 128;
  const mask = new Uint8Array(gray.length);
  let anomalous = false, colored = false;
  for (let i = 0; i < gray.length; i++) {
    const value = gray[i]!;
    if (value === 0) continue;
    colored = true;
    if (value < least) continue;
    anomalous = true;
    mask[i] = 1;
  }
  return { mask, defective: rule === "reference" ? colored : anomalous };
}
