/**
 * Rotary positions as DINOv3 has them: Siméoni et al. 2025,
 * https://arxiv.org/abs/2508.10104.
 *
 * @module
 */
import { floatTensor } from "../host_tensor.ts";
import type { Positions, Transformer } from "./architecture.ts";
import type { TransformerBuilder } from "./transformer_builder.ts";

/** Sines and cosines of all patches `[patches, head dimensions]`. */
export interface Angles {
  /** Tensor of the sines. */
  readonly sin: string;
  /** Tensor of the cosines. */
  readonly cos: string;
}

/** The largest period: positions go from −1 to 1. */
const BASE = 100;

/**
 * Periods of a head's rotations: `100^(i / quarter)`, in bfloat16 in the
 * published checkpoints, whose program goes by them.
 *
 * @param width Dimensions of a head.
 */
export function rotaryPeriods(
  width: number,
  positions: Positions,
): Float32Array<ArrayBuffer> {
  const quarter = width / 4;
  return Float32Array.from({ length: quarter }, (_, i) => {
    const period = Math.fround(BASE ** (i / quarter));
    return positions === "hub" ? bfloat16(period) : period;
  });
}

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/** The nearest number that bfloat16 has, of two the even one. */
function bfloat16(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0]!;
  BITS[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return FLOAT[0];
}

/**
 * Angles of the patches: centres of rows and columns from −1 to 1, in turns of
 * each period; rows, columns, and the same once more.
 *
 * @param grid Rows and columns of patches, `[1]` each.
 */
export function addRotaryAngles(
  builder: TransformerBuilder,
  { dim, heads, positions }: Transformer,
  [rows, columns]: readonly [string, string],
): Angles {
  const name = "/rope_embed";
  const width = dim / heads;
  const periods = builder.constant(
    `${name}/periods`,
    floatTensor([width / 4], rotaryPeriods(width, positions)),
  );
  const turn = builder.float(`${name}/turn`, 2 * Math.PI);
  const along = (axis: "rows" | "columns", count: string): string => {
    const own = `${name}/${axis}`;
    const centres = addCentres(builder, own, count);
    const axes = builder.integers(`${own}/axes`, [axis === "rows" ? 1 : 0, 2]);
    const place = builder.node("Unsqueeze", `${own}/Unsqueeze`, [
      centres,
      axes,
    ]);
    const turned = builder.node("Mul", `${own}/turns`, [place, turn]);
    const angle = builder.node("Div", `${own}/angles`, [turned, periods]);
    const last = builder.integers(`${own}/last`, [width / 4]);
    const shape = builder.node("Concat", `${own}/shape`, [
      ...[rows, columns],
      last,
    ], { axis: 0 });
    return builder.node("Expand", `${own}/Expand`, [angle, shape]);
  };
  const both = builder.node("Concat", `${name}/Concat`, [
    along("rows", rows),
    along("columns", columns),
  ], { axis: 2 });
  const flat = builder.node("Reshape", `${name}/Reshape`, [
    both,
    builder.integers(`${name}/flat`, [-1, width / 2]),
  ]);
  const angles = builder.node("Concat", `${name}/Concat_1`, [flat, flat], {
    axis: 1,
  });
  return {
    sin: builder.node("Sin", `${name}/Sin`, [angles]),
    cos: builder.node("Cos", `${name}/Cos`, [angles]),
  };
}

/** `(i + ½) / count · 2 − 1` for each of so many places `[count]`. */
function addCentres(
  builder: TransformerBuilder,
  name: string,
  count: string,
): string {
  const { places, total } = builder.places(name, count);
  const half = builder.float(`${name}/half`, 0.5);
  const two = builder.float(`${name}/two`, 2);
  const one = builder.float(`${name}/one`, 1);
  const centre = builder.node("Add", `${name}/centres`, [places, half]);
  const share = builder.node("Div", `${name}/share`, [centre, total]);
  const doubled = builder.node("Mul", `${name}/Mul`, [share, two]);
  return builder.node("Sub", `${name}/Sub`, [doubled, one]);
}

/** Turns the heads of patches, not of the tokens before them. */
export function rotate(
  builder: TransformerBuilder,
  name: string,
  input: string,
  { sin, cos, prefix, width }: Angles & {
    readonly prefix: number;
    readonly width: number;
  },
): string {
  const end = 2 ** 31 - 1;
  const part = (
    label: string,
    of: string,
    from: number,
    to: number,
    axis: number,
  ) =>
    builder.node("Slice", `${name}/${label}`, [
      of,
      builder.integers(`${name}/${label}/starts`, [from]),
      builder.integers(`${name}/${label}/ends`, [to]),
      builder.integers(`${name}/${label}/axes`, [axis]),
      builder.integers(`${name}/${label}/steps`, [1]),
    ]);
  const head = part("Slice", input, 0, prefix, 2);
  const tail = part("Slice_1", input, prefix, end, 2);
  const straight = builder.node("Mul", `${name}/Mul`, [tail, cos]);
  const first = part("Slice_2", tail, 0, width / 2, -1);
  const second = part("Slice_3", tail, width / 2, end, -1);
  const negative = builder.node("Neg", `${name}/Neg`, [second]);
  const half = builder.node("Concat", `${name}/Concat`, [negative, first], {
    axis: -1,
  });
  const across = builder.node("Mul", `${name}/Mul_1`, [half, sin]);
  const turned = builder.node("Add", `${name}/Add`, [straight, across]);
  return builder.node("Concat", `${name}/Concat_1`, [head, turned], {
    axis: 2,
  });
}
