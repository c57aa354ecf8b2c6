/**
 * Rows as a whole: what is done to each token by itself reads them, and yields
 * others in their place.
 *
 * @module
 */
import { columnsOf, isPlain, type Linear, type Rows } from "./expression.ts";
import { Refusal } from "./refusal.ts";
import type { RowsView } from "./rows_view.ts";
import type { View } from "./view.ts";

/**
 * The rows that a view has all channels of; of a product with weights also
 * those of some neighbouring columns.
 *
 * @throws {Refusal} If it has others.
 */
export function wholeRows({ of, view, factor, rotation }: RowsView): Rows {
  const { shape, strides, offset } = view;
  const channels = shape.at(-1)!;
  const tokens = shape.flatMap((extent, axis) =>
    axis < shape.length - 1 && extent > 1 ? [strides[axis]!] : []
  );
  const fits = !rotation && strides.at(-1) === 1 && tokens.length === 1 &&
    tokens[0] === of.channels && offset + channels <= of.channels;
  if (!fits) throw new Refusal("its input is no tensor of whole tokens");
  if (channels === of.channels && factor === 1) return of;
  if (!isPlain(of)) {
    throw new Refusal(
      "its input is part of a tensor that is no product with weights",
    );
  }
  const part = channels === of.channels ? of : columnsOf(
    of,
    Array.from({ length: channels }, (_, c) => offset + c),
  );
  return factor === 1
    ? part
    : scaled(part, new Float64Array(channels).fill(factor));
}

/** Rows in the place of others: a view of the same tokens. */
export function like(view: View, of: Rows): RowsView {
  const { shape, strides } = view;
  const last = shape.length - 1;
  return {
    kind: "rows",
    of,
    factor: 1,
    view: {
      shape: shape.with(last, of.channels),
      strides: strides.map((_, axis) =>
        axis === last ? 1 : shape[axis]! > 1 ? of.channels : 0
      ),
      offset: 0,
    },
  };
}

/** A product whose columns are scaled, its bias with them. */
export function scaled(linear: Linear, by: Float64Array): Linear {
  const { scale, bias } = linear;
  return {
    ...linear,
    scale: by.map((v, c) => v * (scale?.[c] ?? 1)),
    ...(bias && { bias: bias.map((v, c) => v * by[c]!) }),
  };
}

/** A product with something added to its columns. */
export function biased(linear: Linear, by: Float64Array): Linear {
  const { bias } = linear;
  return { ...linear, bias: by.map((v, c) => v + (bias?.[c] ?? 0)) };
}
