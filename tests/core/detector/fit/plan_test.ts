import { assert, assertEquals, assertRejects } from "@std/assert";
import { planMemory } from "../../../../src/core/detector/fit/plan.ts";
import type { PatchCoreOptions } from "../../../../src/core/mod.ts";
import { resolveSettings } from "../../../../src/core/settings/resolve_settings.ts";
import { variantFor, type Variants } from "../../../../src/wgsl/variants.ts";
import { gpuTest } from "../../../testing.ts";
import { tinyImages } from "../../../tiny_model.ts";
import { create } from "./bounded_fit.ts";

Deno.test("planMemory() holds features, else their projections", () => {
  const fixedBytes = 50 * 2 ** 20;
  const adapter = {
    pick: <Form>(forms: Variants<Form>): Form => variantFor(forms, 8),
    maxTensorBytes: 2 ** 27,
  };
  const sizes = { gpu: adapter, fixedBytes, patches: 784, dim: 1024 };
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
  assertEquals(of(16, true, 128), "buckets");
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
      16,
      { coreset: { ratio: 0.3, projection: LINEAR } },
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
