/**
 * Contrast of colours as WCAG 2.2 defines it.
 *
 * @module
 */

/** Contrast of two colours `#rrggbb`, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

/** Variables `--name: #rrggbb` of each `:root` block, in their order. */
export function colorThemes(style: string): Map<string, string>[] {
  return [...style.matchAll(/:root\s*\{([^}]*)\}/g)].map(([, block]) =>
    new Map(
      [...block!.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((
        [, name, value],
      ) => [name!, value!]),
    )
  );
}

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const level = parseInt(color.slice(at, at + 2), 16) / 255;
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
