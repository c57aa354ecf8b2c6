/**
 * Fits a table of positions to another number of patches, in the ways that the
 * programs in use have.
 *
 * @module
 */
import { floatTensor } from "../host_tensor.ts";
import type { TransformerBuilder } from "./transformer_builder.ts";

/** How a table is fitted. */
interface TableFit {
  /** Patches of the table's sides. */
  readonly grid: number;
  /** Dimensions of a token. */
  readonly dim: number;
  /** Rows and columns of patches, `[1]` each. */
  readonly to: readonly [string, string];
  /**
   * Bicubic with A = −0.75 by the scale `(n + 0.1) / grid`, where the size
   * differs (DINO, DINOv2); the same by `n / grid` (transformers); or
   * antialiased with A = −0.5 as Pillow's (DINOv2 with registers, timm).
   */
  readonly resampling: "offset" | "plain" | "antialiased";
}

const NAME = "/pos_embed";

/**
 * The positions of patches `[1, rows · columns, D]` from a table
 * `[1, grid · grid, D]`. Nothing of it depends on the image but its size.
 */
export function addTablePositions(
  builder: TransformerBuilder,
  table: string,
  { grid, dim, to, resampling }: TableFit,
): string {
  const byRow = builder.node("Reshape", `${NAME}/Reshape`, [
    table,
    builder.integers(`${NAME}/table`, [1, grid, grid, dim]),
  ]);
  const channels = builder.node("Transpose", `${NAME}/Transpose`, [byRow], {
    perm: [0, 3, 1, 2],
  });
  const fitted = resampling === "antialiased"
    ? antialiased(builder, channels, grid, to)
    : resampling === "offset"
    ? offset(builder, channels, grid, to)
    : plain(builder, channels, dim, to);
  const rows = builder.node("Transpose", `${NAME}/Transpose_1`, [fitted], {
    perm: [0, 2, 3, 1],
  });
  return builder.node("Reshape", `${NAME}/Reshape_1`, [
    rows,
    builder.integers(`${NAME}/flat`, [1, -1, dim]),
  ]);
}

/** PyTorch's bicubic, A = −0.75, borders repeated. */
const RESIZE = {
  coordinate_transformation_mode: "half_pixel",
  cubic_coeff_a: -0.75,
  mode: "cubic",
  nearest_mode: "floor",
} as const;

/** To so many rows and columns: the scale is their share of the table's. */
function plain(
  builder: TransformerBuilder,
  table: string,
  dim: number,
  to: readonly [string, string],
): string {
  const first = builder.integers(`${NAME}/first`, [1, dim]);
  const sizes = builder.node("Concat", `${NAME}/sizes`, [first, ...to], {
    axis: 0,
  });
  return builder.node(
    "Resize",
    `${NAME}/Resize`,
    [table, "", "", sizes],
    RESIZE,
  );
}

/**
 * By the scale `(n + 0.1) / grid`, also inside the kernel; where rows and columns
 * are both as the table has them, nothing is resampled.
 */
function offset(
  builder: TransformerBuilder,
  table: string,
  grid: number,
  to: readonly [string, string],
): string {
  const sizes = builder.node("Concat", `${NAME}/sizes`, [...to], { axis: 0 });
  const floats = builder.node("Cast", `${NAME}/Cast`, [sizes], { to: 1 });
  const sides = builder.float(`${NAME}/side`, grid);
  const moved = builder.node("Add", `${NAME}/moved`, [
    floats,
    builder.float(`${NAME}/offset`, 0.1),
  ]);
  const scale = builder.node("Div", `${NAME}/scale`, [moved, sides]);
  const off = builder.node("Sub", `${NAME}/Sub`, [floats, sides]);
  const distance = builder.node("Abs", `${NAME}/Abs`, [off]);
  const total = builder.node("ReduceSum", `${NAME}/ReduceSum`, [distance], {
    keepdims: 1,
  });
  const none = builder.float(`${NAME}/none`, 0);
  const isSame = builder.node("Equal", `${NAME}/Equal`, [total, none]);
  const one = builder.float(`${NAME}/one`, 1);
  const used = builder.node("Where", `${NAME}/Where`, [isSame, one, scale]);
  const first = builder.constant(`${NAME}/first`, floatTensor([2], [1, 1]));
  const scales = builder.node("Concat", `${NAME}/scales`, [first, used], {
    axis: 0,
  });
  return builder.node(
    "Resize",
    `${NAME}/Resize`,
    [table, "", scales],
    RESIZE,
  );
}

/**
 * Antialiased bicubic as a product with a matrix an axis: opset 17's Resize has
 * none.
 */
function antialiased(
  builder: TransformerBuilder,
  table: string,
  grid: number,
  [rows, columns]: readonly [string, string],
): string {
  const down = weights(builder, `${NAME}/rows`, grid, rows);
  const across = builder.node("Transpose", `${NAME}/columns/Transpose`, [
    weights(builder, `${NAME}/columns`, grid, columns),
  ], { perm: [1, 0] });
  const tall = builder.node("MatMul", `${NAME}/MatMul`, [down, table]);
  return builder.node("MatMul", `${NAME}/MatMul_1`, [tall, across]);
}

/**
 * Weights `[n, grid]` of Pillow's BICUBIC from `grid` to `n` places:
 * `cubic((j + ½ − (i + ½) s) / max(s, 1))` with `s = grid / n`, each row divided
 * by its sum.
 */
function weights(
  builder: TransformerBuilder,
  name: string,
  grid: number,
  count: string,
): string {
  const op = (type: string, label: string, ...inputs: string[]): string =>
    builder.node(type, `${name}/${label}`, inputs);
  const number = (label: string, value: number): string =>
    builder.float(`${name}/${label}`, value);
  const { places, total } = builder.places(name, count);
  const side = number("side", grid);
  const scale = op("Div", "scale", side, total);
  const centres = op(
    "Mul",
    "centres",
    op("Add", "middle", places, number("half", 0.5)),
    scale,
  );
  const down = op(
    "Unsqueeze",
    "down",
    centres,
    builder.integers(`${name}/down/axes`, [1]),
  );
  const from = builder.constant(
    `${name}/from`,
    floatTensor([grid], Float32Array.from({ length: grid }, (_, j) => j + 0.5)),
  );
  const support = op("Max", "support", scale, number("one", 1));
  const x = op(
    "Abs",
    "distance",
    op("Div", "scaled", op("Sub", "offset", from, down), support),
  );
  // Horner's scheme with A = −½, below 1 and below 2.
  const near = op(
    "Add",
    "near",
    op(
      "Mul",
      "near/cube",
      op(
        "Mul",
        "near/square",
        op(
          "Sub",
          "near/inner",
          op("Mul", "near/first", x, number("a", 1.5)),
          number("b", 2.5),
        ),
        x,
      ),
      x,
    ),
    number("c", 1),
  );
  const inner = op(
    "Add",
    "far/inner",
    op("Mul", "far/first", x, number("d", -0.5)),
    number("e", 2.5),
  );
  const square = op(
    "Sub",
    "far/square",
    op("Mul", "far/second", inner, x),
    number("f", 4),
  );
  const far = op(
    "Add",
    "far",
    op("Mul", "far/third", square, x),
    number("g", 2),
  );
  const isFar = op("Less", "is_far", x, number("h", 2));
  const isNear = op("Less", "is_near", x, number("i", 1));
  const outer = op("Where", "outer", isFar, far, number("zero", 0));
  const raw = op("Where", "raw", isNear, near, outer);
  const sum = builder.node("ReduceSum", `${name}/sum`, [
    raw,
    builder.integers(`${name}/sum/axes`, [1]),
  ], { keepdims: 1 });
  return op("Div", "weights", raw, sum);
}
