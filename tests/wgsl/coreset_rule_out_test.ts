import { assert, assertEquals } from "@std/assert";
import { type Gpu, imageOf } from "../../src/gpu/mod.ts";
import {
  coresetRuleOut,
  type CoresetRuleOutKernel,
} from "../../src/wgsl/coreset_rule_out.ts";
import { packedNorms } from "../../src/wgsl/packed_norms.ts";
import { packRows, PANEL_ROWS } from "../../src/wgsl/pack_rows.ts";
import { rowNorms } from "../../src/wgsl/row_norms.ts";
import { runsOn } from "./run_kernel.ts";
import { gpuTest, randomFloats } from "../testing.ts";

const WORDS = 2;

/** The panel's least distance to the centre minus what its row has. */
function leads(
  rows: Float32Array,
  centres: Float32Array,
  axes: number,
  far: Float32Array,
): number[][] {
  const panels: number[][] = [];
  for (let row = 0; row < far.length; row++) {
    const panel = Math.floor(row / PANEL_ROWS);
    for (let c = 0; c < centres.length / axes; c++) {
      let sum = 0;
      for (let k = 0; k < axes; k++) {
        sum += (rows[row * axes + k]! - centres[c * axes + k]!) ** 2;
      }
      const lead = Math.sqrt(sum) - far[row]!;
      const list = panels[panel] ??= [];
      list[c] = Math.min(list[c] ?? Infinity, lead);
    }
  }
  return panels;
}

async function ruleOut(
  gpu: Gpu,
  kernel: CoresetRuleOutKernel,
  data: Readonly<Record<string, Float32Array<ArrayBuffer>>>,
  axes: number,
  followsFolds: boolean,
): Promise<Uint32Array> {
  const { anchors, others } = data;
  const base = 3;
  const to = 1;
  const rows = data.rows!.length / axes;
  const count = data.centres!.length / axes;
  const panels = Math.ceil(rows / PANEL_ROWS);
  using source = gpu.upload(data.rows!, [rows, axes]);
  using centres = gpu.upload(data.centres!, [count, axes]);
  using packed = gpu.tensor([panels, axes, PANEL_ROWS]);
  using norms = gpu.tensor([panels * PANEL_ROWS]);
  using centreNorms = gpu.tensor([count]);
  const before = new Float32Array(base);
  using allAnchors = gpu.upload(Float32Array.from([...before, ...anchors!]));
  const four = [...before, ...others!].flatMap((other) => [0, 0, other, 0]);
  using nearest = gpu.upload(Float32Array.from(four));
  using alive = gpu.tensor([to + panels, WORDS], "u32");
  using program = gpu.program("pack");
  const tensors = { rows: source, shift: source, packed };
  program.dispatch(packRows, { rows, dim: axes }, tensors);
  program.dispatch(packedNorms, { rows, dim: axes }, { packed, norms });
  program.dispatch(rowNorms, { rows: count, dim: axes }, {
    rows: centres,
    shift: centres,
    norms: centreNorms,
  });
  (await program.compile()).run();
  using image = imageOf(gpu, packed);
  using ruling = gpu.program("rule out");
  ruling.dispatch(kernel, {
    ...{ rows, base, axes, count, to, words: WORDS },
    ...{ folds: followsFolds, slack: 1e-5, radius: 1e-5, stretch: 1e-5 },
  }, {
    packed: kernel.bindings.packed === "read" ? packed : image,
    row_norms: norms,
    centres,
    centre_norms: centreNorms,
    anchors: allAnchors,
    nearest,
    alive,
  });
  (await ruling.compile()).run();
  const words = await gpu.read(alive);
  return words.slice(to * WORDS) as Uint32Array;
}

/** Rows, axes, new centres. */
const SHAPES = [
  [1, 4, 1],
  [64, 8, 16],
  [65, 12, 17],
  [500, 48, 40],
  [640, 20, 64],
] as const;

for (const kernel of Object.values(coresetRuleOut)) {
  gpuTest(`${kernel.name} keeps what may be near`, async (gpu, t) => {
    for (const shape of SHAPES) {
      const [rows, axes, count] = shape;
      await t.step({
        name: `${rows} rows × ${axes} of ${count} centres`,
        ignore: !runsOn(gpu, kernel),
        fn: () => check(gpu, kernel, shape),
      });
    }
  });
}

async function check(
  gpu: Gpu,
  kernel: CoresetRuleOutKernel,
  [rows, axes, count]: (typeof SHAPES)[number],
): Promise<void> {
  const points = randomFloats(1, rows * axes);
  const centres = randomFloats(2, count * axes);
  const zeros = new Float32Array(rows);
  const sorted = leads(points, centres, axes, zeros).flat()
    .sort((a, b) => a - b);
  const reach = sorted[sorted.length >> 1]!;
  const near = (seed: number) =>
    randomFloats(seed, rows).map((x) => reach * (1 + x / 50));
  const data = {
    rows: points,
    centres,
    anchors: near(3),
    others: near(4),
  };
  for (const followsFolds of [false, true]) {
    const far = data.anchors.map((anchor, i) =>
      followsFolds ? data.others[i]! : anchor
    );
    const alive = await ruleOut(gpu, kernel, data, axes, followsFolds);
    const expected = leads(data.rows, data.centres, axes, far);
    expected.forEach((list, panel) => {
      for (let c = 0; c < WORDS * 32; c++) {
        const word = alive[panel * WORDS + Math.floor(c / 32)]!;
        if (c >= Math.ceil(count / 32) * 32) continue;
        const kept = (word >>> c % 32) % 2;
        const lead = list[c] ?? Infinity;
        if (Math.abs(lead) < 1e-3) continue;
        assertEquals(
          kept,
          Number(lead < 0),
          `panel ${panel}, centre ${c}: ${lead}`,
        );
      }
    });
    if (rows < 64) continue;
    const all = expected.flat();
    assert(all.some((x) => x < 0) && all.some((x) => x > 0));
  }
}
