/**
 * Runs the node tests of onnx/onnx that onnx_backend.py wrote, and prints what
 * came of them, operator by operator:
 *
 *     python3 tests/oracles/onnx_backend.py /tmp/onnx_backend
 *     deno run -A tests/oracles/onnx_backend.ts /tmp/onnx_backend
 *
 * A test passes; is refused by an error that names the operator or tensor that
 * cannot run; its file is refused as a whole, for its operator set or because it
 * has no image; it gives wrong values; or it fails with an error that names
 * nothing. The program ends with 1 if there is one of the last two kinds.
 */
import { Gpu } from "../../src/gpu/mod.ts";
import { Network, OnnxError, readOnnx, toNhwc } from "../../src/nn/mod.ts";

interface Expected {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly string[];
}

interface BackendCase {
  readonly name: string;
  readonly operators: readonly string[];
  readonly file: string;
  readonly shape?: readonly number[];
  readonly x?: readonly string[];
  readonly outputs: readonly Expected[];
}

const OUTCOMES = ["pass", "refused", "file", "wrong", "raw"] as const;
type Outcome = typeof OUTCOMES[number];

const NONE = { pass: 0, refused: 0, file: 0, wrong: 0, raw: 0 };

/** Tolerances of onnx/onnx's own runner. */
const RTOL = 1e-3;
const ATOL = 1e-6;

const [folder = "."] = Deno.args;
const cases: BackendCase[] = JSON.parse(
  await Deno.readTextFile(`${folder}/cases.json`),
);
using gpu = await Gpu.create();
const table = new Map<string, Record<Outcome, number>>();
const bad: string[] = [];
for (const backendCase of cases) {
  const [outcome, detail] = await run(backendCase);
  const key = backendCase.operators.join("+");
  const row = table.get(key) ?? { ...NONE };
  row[outcome]++;
  table.set(key, row);
  if (outcome === "wrong" || outcome === "raw") {
    bad.push(`${outcome} ${backendCase.name}: ${detail}`);
  }
}
print();
if (bad.length > 0) Deno.exit(1);

async function run(
  { file, shape = [1, 3, 4, 4], x, outputs }: BackendCase,
): Promise<[Outcome, string]> {
  try {
    const bytes = await Deno.readFile(`${folder}/${file}`);
    using network = new Network(gpu, await readOnnx(bytes));
    using session = await network.session(shape);
    const image = Float32Array.from(
      x?.map(number) ?? new Array(shape.reduce((a, b) => a * b, 1)).fill(0),
    );
    gpu.write(session.input, toNhwc(image, shape));
    session.program.run();
    for (const name of network.outputs) {
      const expected = outputs.find((output) => output.name === name);
      if (!expected) return ["wrong", `${name} is no float output`];
      const found = session.shape(name);
      if (found.join() !== expected.shape.join()) {
        return ["wrong", `shape [${found}], expected [${expected.shape}]`];
      }
      const values = await session.read(name);
      const at = expected.values.findIndex((value, i) =>
        !close(values[i]!, number(value))
      );
      if (at >= 0) {
        return ["wrong", `${values[at]}, expected ${expected.values[at]}`];
      }
    }
    return ["pass", ""];
  } catch (error) {
    if (!(error instanceof OnnxError)) return ["raw", String(error)];
    const whole = error.kind === "opset" || error.kind === "image_input";
    return whole
      ? ["file", error.message]
      : [isNamed(error) ? "refused" : "raw", error.message];
  }
}

/** Whether an error names the operator, or the tensor or input at fault. */
function isNamed({ node, message }: OnnxError): boolean {
  return node !== undefined || /"[^"]*"/.test(message);
}

function number(text: string): number {
  return text.endsWith("inf")
    ? text.startsWith("-") ? -Infinity : Infinity
    : Number(text);
}

function close(a: number, b: number): boolean {
  return a === b || Number.isNaN(a) && Number.isNaN(b) ||
    Math.abs(a - b) <= ATOL + RTOL * Math.abs(b);
}

function print(): void {
  const rows = [...table].sort(([a], [b]) => a < b ? -1 : 1);
  const totals = { ...NONE };
  const line = (name: string, row: Record<Outcome, number>): string =>
    name.slice(0, 44).padEnd(46) +
    OUTCOMES.map((outcome) => `${row[outcome]}`.padStart(9)).join("");
  console.log(
    "operator".padEnd(46) + OUTCOMES.map((o) => o.padStart(9)).join(""),
  );
  for (const [name, row] of rows) {
    console.log(line(name, row));
    for (const outcome of OUTCOMES) totals[outcome] += row[outcome];
  }
  console.log(line(`${cases.length} tests`, totals));
  for (const text of bad) console.log(text);
}
