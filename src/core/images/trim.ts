import type { AxisExtent, AxisPlan, ResizePlan } from "./resize_plan.ts";

/** What a resize reads: an image, or a part of it alone. */
export interface TrimmedPart {
  /** A word a pixel, row by row. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** How it is resized. */
  readonly plan: ResizePlan;
  /** The same for all parts whose plan is the same. */
  readonly key: string;
}

/**
 * Copies what a plan needs of an image where that is at most half of it, so that
 * no more is uploaded: a tile of a large image, above all.
 *
 * @param words The image, a word a pixel.
 * @param device Whether pixels are wanted, or only their number.
 */
export function trimmed(
  words: Uint32Array<ArrayBuffer>,
  plan: ResizePlan,
  device: { readonly isDry: boolean },
): TrimmedPart {
  const { columns, rows } = plan;
  const [width, height] = [columns.to - columns.from, rows.to - rows.from];
  if (2 * width * height > words.length) {
    return { words, plan, key: `${axisKey(columns)}, ${axisKey(rows)}` };
  }
  const part = new Uint32Array(width * height);
  for (let row = 0; row < height && !device.isDry; row++) {
    const start = (rows.from + row) * columns.input + columns.from;
    part.set(words.subarray(start, start + width), row * width);
  }
  const alone = (axis: AxisPlan): AxisPlan => ({
    ...axis,
    input: axis.to - axis.from,
    from: 0,
    to: axis.to - axis.from,
  });
  const name = (axis: AxisPlan): string =>
    axis.isCopy ? `${axis.length}` : axisKey(axis);
  return {
    words: part,
    plan: { ...plan, columns: alone(columns), rows: alone(rows) },
    key: `part of ${name(columns)}, ${name(rows)}`,
  };
}

/** What decides the weights of an axis, as text. */
export function axisKey(
  { input, resized, offset, length }: AxisExtent,
): string {
  return `${input} > ${resized} + ${offset} : ${length}`;
}
