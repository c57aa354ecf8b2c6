import { assert, assertEquals, assertRejects } from "@std/assert";
import { planMemory } from "../../../../src/core/detector/fit/plan.ts";
import { PatchCore, type PatchCoreOptions } from "../../../../src/core/mod.ts";
import { resolveSettings } from "../../../../src/core/settings/resolve_settings.ts";
import { variantFor, type Variants } from "../../../../src/wgsl/variants.ts";
import {
  ImageScores,
  weightBytes,
} from "../../../../src/core/score/image_score.ts";
import { BankSearch } from "../../../../src/core/search/search.ts";
import { heldOutBytes } from "../../../../src/core/threshold/training_scores.ts";
import { RowChunks } from "../../../../src/gpu/mod.ts";
import { gpuTest, randomFloats } from "../../../testing.ts";
import { tinyImages } from "../../../tiny_model.ts";
import { BACKBONE, create } from "./bounded_fit.ts";

Deno.test("planMemory() holds features, else their projections", () => {
  const fixedBytes = 50 * 2 ** 20;
  const adapter = {
    pick: <Form>(forms: Variants<Form>): Form => variantFor(forms, 8),
    maxTensorBytes: 2 ** 27,
  };
  const sizes = {
    gpu: adapter,
    fixedBytes,
    inputs: 1,
    patches: 784,
    dim: 1024,
  };
  const settings = resolveSettings({ coreset: 0.01 });
  const of = (share: number, areListed = true, projected?: number) => {
    const demand = { settings, images: 213, batch: 4, areListed };
    const fit = { ...demand, ...sizes, pixels: 224 ** 2, projected };
    const { bytes } = planMemory({ ...fit, budget: undefined });
    const budget = fixedBytes + (bytes - fixedBytes) / share;
    const plan = planMemory({ ...fit, budget });
    assert(plan.bytes <= budget);
    return plan.holds;
  };
  assertEquals(of(1, true, 128), "features");
  assertEquals(of(4, true, 128), "projections");
  assertEquals(of(4, false, 128), "buckets");
  assertEquals(of(4, true), "buckets");
  assertEquals(of(8, true, 128), "buckets");
});

/** Rows of 512 elements: banks and searches outweigh what is always there. */
const LONG = { resize: 64, layerDim: "channels", dim: 512 } as const;
const LINEAR = { kind: "linear", dim: 256 } as const;

for (
  const [name, images, options, kinds] of [
    ["all rows", 12, { coreset: { method: "none" } }, ["features"]],
    [
      "a random bank",
      16,
      { coreset: { method: "random", ratio: 0.3 } },
      ["features", "buckets", "buckets"],
    ],
    [
      "a greedy bank",
      40,
      { coreset: { ratio: 0.1, projection: LINEAR } },
      ["features", "projections", "projections"],
    ],
    [
      "a greedy bank without projection",
      16,
      { coreset: { ratio: 0.1, projection: { kind: "none" } } },
      ["features", "buckets", "buckets"],
    ],
  ] as [string, number, Partial<PatchCoreOptions>, string[]][]
) {
  gpuTest(`fit() stays within its plan at the edge: ${name}`, async (gpu) => {
    const train = tinyImages(images).train;
    const plans: string[] = [];
    const fit = async (memoryBudget?: number): Promise<number> => {
      gpu.pool.trim();
      using detector = await create(gpu, {
        ...LONG,
        ...options,
        ...(memoryBudget && { memoryBudget }),
      });
      const { peakGpuBytes: peak, plannedGpuBytes: planned } = await detector
        .fit(train, { onPlan: ({ holds }) => plans.push(holds) });
      const said = `${plans.at(-1)}: ${peak} of ${planned} planned`;
      assert(peak <= planned && peak > 0.6 * planned, said);
      assert(planned <= (memoryBudget ?? Infinity), said);
      return planned;
    };
    const whole = await fit();
    if (kinds.length > 1) {
      await fit(whole - 1);
      const { message } = await assertRejects(() => fit(2 ** 20), RangeError);
      const [, least] = /allow at least (\d+) MiB/.exec(message)!;
      await fit(Number(least) * 2 ** 20);
    }
    assertEquals(plans, kinds);
  });
}

gpuTest(
  "weightBytes() is what the weighing of scores allocates, and a part of a fit's plan",
  async (gpu) => {
    const [rows, dim, images] = [500, 512, 96];
    const settings = resolveSettings({ reweight: 9 });
    using bank = RowChunks.allocate(gpu, rows, dim, "bank");
    gpu.write(bank.chunks[0]!, randomFloats(3, rows * dim));
    using search = await BankSearch.create(gpu, bank);
    using queries = gpu.tensor([images, dim]);
    using scores = gpu.tensor([images]);
    using indices = gpu.tensor([images], "u32");
    using program = gpu.program("weigh");
    gpu.pool.trim();
    gpu.pool.resetPeak();
    const before = gpu.pool.bytes;
    using _ = new ImageScores(gpu, bank, search, settings)
      .recordWeights(program, {
        ...{ queries, scores, images },
        worstPatches: indices,
        nearestRows: indices,
      });
    const allocated = gpu.pool.peakBytes - before;
    const sizes = { gpu, rows, dim };
    const planned = weightBytes(sizes, images, 9);
    const said = `${allocated} of ${planned} planned`;
    // Each buffer is rounded up.
    assert(allocated <= planned + 2 ** 16 && allocated > 0.9 * planned, said);
    const grid = { patches: 4, pixels: 64 };
    const [with9, without] = [9, 1].map((reweight) =>
      heldOutBytes(sizes, { ...settings, reweight }, images, grid)
    );
    assertEquals(with9! - without!, planned);
  },
);

for (
  const [name, options] of [
    ["a full bank", { coreset: { ratio: 0.3, maxBank: 80 } }],
    ["a bank of all rows", { coreset: { method: "none" } }],
  ] as [string, Partial<PatchCoreOptions>][]
) {
  gpuTest(
    `append() stays within its plan at the edge: ${name}`,
    async (gpu) => {
      const images = tinyImages(12).train;
      const append = async (extra?: number): Promise<number> => {
        gpu.pool.trim();
        using fitted = await create(gpu, { ...LONG, ...options });
        await fitted.fit(images.slice(0, 4));
        const model = fitted.model;
        fitted.dispose();
        gpu.pool.trim();
        using detector = await PatchCore.fromModel(model, {
          ...{ gpu, backbone: BACKBONE, batch: 4 },
          ...(extra && { memoryBudget: extra }),
        });
        const { peakGpuBytes: peak, plannedGpuBytes: planned, bankRows } =
          await detector.append(images.slice(4));
        assertEquals(bankRows, name === "a full bank" ? 80 : 3 * model.rows);
        const said = `${peak} of ${planned} planned`;
        assert(peak <= planned && peak > 0.5 * planned, said);
        assert(planned <= (extra ?? Infinity), said);
        return planned;
      };
      const planned = await append();
      const { message } = await assertRejects(
        () => append(2 ** 20),
        RangeError,
      );
      const [, least] = /allow at least (\d+) MiB/.exec(message)!;
      assert(await append(Number(least) * 2 ** 20) <= planned);
    },
  );
}
