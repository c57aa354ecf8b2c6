/**
 * The operators over tokens that a recognised transformer consists of, over
 * `[N, D, T, 1]` with float64 sums.
 */
import type { HostTensor } from "../../src/nn/graph.ts";
import { TOKEN_OPERATORS } from "../../src/nn/transformer/token_operators.ts";
import { attention } from "./attention.ts";
import { layerNorm } from "./layer_norm.ts";
import { type Attributes, integer, numbers, tensor } from "./operands.ts";

type Inputs = readonly (HostTensor | undefined)[];
type Operator = (inputs: Inputs, attributes?: Attributes) => HostTensor;

/** `[N, D, T]` → `[N, T, D]`, or back. */
function swapped(
  data: ArrayLike<number>,
  images: number,
  rows: number,
  columns: number,
): number[] {
  return Array.from({ length: images * rows * columns }, (_, i) => {
    const n = Math.floor(i / (rows * columns));
    const [c, r] = [Math.floor(i / rows) % columns, i % rows];
    return data[(n * rows + r) * columns + c]!;
  });
}

function rowsOf(x: HostTensor): {
  readonly images: number;
  readonly channels: number;
  readonly tokens: number;
  readonly rows: number[];
} {
  const [images = 1, channels = 1, ...rest] = x.shape;
  const tokens = rest.reduce((a, b) => a * b, 1);
  const rows = swapped(numbers(x), images, channels, tokens);
  return { images, channels, tokens, rows };
}

function fromRows(
  rows: ArrayLike<number>,
  [images, channels, ...rest]: readonly number[],
): HostTensor {
  const tokens = rest.reduce((a, b) => a * b, 1);
  const data = swapped(rows, images!, tokens, channels!);
  return tensor([images!, channels!, ...rest], data);
}

const embed: Operator = ([patches, offset]) => {
  const { images, channels, tokens, rows } = rowsOf(patches!);
  const added = numbers(offset!);
  const all = added.length / channels;
  const prefix = all - tokens;
  const y = Array.from({ length: images * all * channels }, (_, i) => {
    const [n, at] = [Math.floor(i / (all * channels)), i % (all * channels)];
    const patch = (n * tokens - prefix) * channels + at;
    return added[at]! + (at < prefix * channels ? 0 : rows[patch]!);
  });
  return fromRows(y, [images, channels, all, 1]);
};

const map: Operator = ([x, patches]) => {
  const { images, channels, tokens, rows } = rowsOf(x!);
  const [, , height = 1, width = 1] = patches!.shape;
  const prefix = tokens - height * width;
  const kept = rows.filter((_, i) =>
    Math.floor(i / channels) % tokens >= prefix
  );
  return fromRows(kept, [images, channels, height, width]);
};

const norm: Operator = ([x, gamma, beta, patches], attributes) => {
  const { images, channels, tokens, rows } = rowsOf(x!);
  const y = layerNorm(
    rows,
    numbers(gamma!),
    beta ? numbers(beta) : new Float64Array(channels),
    integer(attributes!, "epsilon", 1e-5),
  );
  const whole = fromRows(y, [images, channels, tokens, 1]);
  return patches ? map([whole, patches]) : whole;
};

const linear: Operator = ([x, w, b, s, gate, cos, sin], attributes) => {
  if (gate) throw new Error("Gates follow activations, see interpret()");
  const { images, channels, tokens, rows } = rowsOf(x!);
  const [, outputs = 0] = w!.shape;
  const weights = numbers(w!);
  const [scale, bias] = [s, b].map((vector) => vector && numbers(vector));
  const count = images * tokens;
  const y = new Float64Array(count * outputs);
  for (let r = 0; r < count; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) {
        sum += rows[r * channels + c]! * weights[c * outputs + o]!;
      }
      y[r * outputs + o] = sum * (scale?.[o] ?? 1) + (bias?.[o] ?? 0);
    }
  }
  if (cos && sin) {
    const head = integer(attributes!, "head", 0);
    const prefix = integer(attributes!, "prefix", 0);
    turn(y, { outputs, tokens, head, prefix }, numbers(cos), numbers(sin));
  }
  return fromRows(y, [images, outputs, tokens, 1]);
};

/** x · cos + rotate_half(x) · sin, of heads whose halves lie in pairs. */
function turn(
  y: Float64Array,
  { outputs, tokens, head, prefix }: Readonly<
    Record<"outputs" | "tokens" | "head" | "prefix", number>
  >,
  cos: readonly number[],
  sin: readonly number[],
): void {
  for (let r = 0; r < y.length / outputs; r++) {
    const patch = r % tokens - prefix;
    if (patch < 0) continue;
    for (let o = 0; o < outputs * 2 / 3; o += 2) {
      const at = r * outputs + o;
      const low = patch * head + o % head / 2;
      const high = low + head / 2;
      const [a, b] = [y[at]!, y[at + 1]!];
      y[at] = a * cos[low]! - b * sin[low]!;
      y[at + 1] = b * cos[high]! + a * sin[high]!;
    }
  }
}

const attend: Operator = ([qkv], attributes) => {
  const { images, channels, tokens, rows } = rowsOf(qkv!);
  const heads = integer(attributes!, "heads", 1);
  const scale = integer(attributes!, "scale", 1);
  const head = channels / 3 / heads;
  const y = attention({ images, tokens, heads, head, scale }, rows);
  return fromRows(y, [images, channels / 3, tokens, 1]);
};

/** The operators by name. */
export const TOKEN_REFERENCES: Readonly<Record<string, Operator>> = {
  [TOKEN_OPERATORS.attention]: attend,
  [TOKEN_OPERATORS.embed]: embed,
  [TOKEN_OPERATORS.firstImage]: ([x]) => x!,
  [TOKEN_OPERATORS.linear]: linear,
  [TOKEN_OPERATORS.map]: map,
  [TOKEN_OPERATORS.norm]: norm,
};
