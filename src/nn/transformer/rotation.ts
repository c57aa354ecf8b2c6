/**
 * Rotary positions, as exporters write them: x · cos + rotate_half(x) · sin of
 * the patches' queries and keys, behind those of other tokens.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";
import type { RowsView } from "./rows_view.ts";
import { longAxes, sameView } from "./view.ts";

/** The halves of each head exchanged, the first one negated. */
interface Rotated {
  readonly kind: "rotated";
  readonly of: RowsView;
}

/** A tensor, or its rotated halves, times cosines or sines. */
interface Weighed {
  readonly kind: "weighed";
  readonly of: RowsView;
  readonly by: string;
  readonly isRotated: boolean;
}

/** Patches with their rotary positions. */
interface Turned {
  readonly kind: "turned";
  readonly of: RowsView;
  readonly cos: string;
  readonly sin: string;
}

/** What queries and keys are on the way to their rotary positions. */
export type Turning = Rotated | Weighed | Turned;

/** What is neither tokens nor on the way to be turned. */
interface Other {
  readonly kind: "scores" | "nan";
}

/** A tensor of tokens times as many other numbers as it has tokens and dimensions. */
export function weighed(
  meaning: RowsView | Turning,
  by: string,
  count: number,
): Weighed {
  const of = meaning.kind === "rows" ? meaning : meaning.of;
  const [tokens = 0, dimensions = 0] = of.view.shape.slice(-2);
  const fits = meaning.kind === "rows" || meaning.kind === "rotated";
  if (!fits || count !== tokens * dimensions) {
    throw new Refusal("it multiplies by other constants than a scale");
  }
  return { kind: "weighed", of, by, isRotated: meaning.kind === "rotated" };
}

/** The sum of x · cos and rotate_half(x) · sin. */
export function turningOf(a: Weighed, b: Weighed): Turning {
  const [plain, rotated] = a.isRotated ? [b, a] : [a, b];
  const same = plain.of.of === rotated.of.of &&
    plain.of.factor === rotated.of.factor &&
    sameView(plain.of.view, rotated.of.view);
  if (plain.isRotated || !rotated.isRotated || !same) {
    throw new Refusal("it is no rotary position by halves of a head");
  }
  return { kind: "turned", of: plain.of, cos: plain.by, sin: rotated.by };
}

/** The tensor that a product reads: one that was turned throughout has no prefix. */
export function turnedPart(meaning: RowsView | Turning | Other): RowsView {
  if (meaning.kind === "rows") return meaning;
  if (meaning.kind === "turned") {
    const { of, cos, sin } = meaning;
    return { ...of, rotation: { cos, sin, prefix: 0 } };
  }
  throw new Refusal("it multiplies what are no queries and keys of tokens");
}

/**
 * Two tensors joined: second halves, negated, and first ones; or tokens that are
 * not turned and those that are.
 */
export function withPrefix(
  a: RowsView,
  b: RowsView | Turning | Other,
  axis: number,
): RowsView | Rotated {
  if (b.kind === "rows") return rotatedHalves(a, b, axis);
  if (b.kind !== "turned") {
    throw new Refusal("it joins other things than tokens");
  }
  const { of, cos, sin } = b;
  const follows = of.of === a.of && of.factor === a.factor &&
    of.view.offset ===
      a.view.offset + a.view.shape[axis]! * a.view.strides[axis]! &&
    longAxes(of.view).every((i) => of.view.strides[i] === a.view.strides[i]) &&
    axis === a.view.shape.length - 2;
  if (!follows) throw new Refusal("it joins tokens in another order");
  const prefix = a.view.shape[axis]!;
  const shape = a.view.shape.with(axis, prefix + of.view.shape[axis]!);
  return {
    ...a,
    view: { ...of.view, shape, offset: a.view.offset },
    rotation: { cos, sin, prefix },
  };
}

function rotatedHalves(a: RowsView, b: RowsView, axis: number): Rotated {
  const rank = a.view.shape.length;
  const half = a.view.shape.at(-1)!;
  const isRotated = a.of === b.of && axis === rank - 1 &&
    a.factor === -b.factor && a.view.shape.join() === b.view.shape.join() &&
    a.view.strides.join() === b.view.strides.join() &&
    a.view.strides.at(-1) === 1 && a.view.offset === b.view.offset + half;
  if (!isRotated) throw new Refusal("it joins tensors behind the embedding");
  const view = { ...b.view, shape: b.view.shape.with(axis, 2 * half) };
  return { kind: "rotated", of: { ...b, view } };
}
