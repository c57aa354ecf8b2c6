import { assert, assertEquals, assertRejects } from "@std/assert";
import { learnProxies } from "../../../src/core/baselines/proxies.ts";
import {
  choice,
  Mt19937,
  permutation,
} from "../../../src/core/settings/random.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import {
  adam,
  type Matrix,
  meanLoss,
  proxyGradient,
} from "../../reference/proxies.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

function matrix(data: Float32Array, dim: number): number[][] {
  return Array.from(
    { length: data.length / dim },
    (_, i) => [...data.subarray(i * dim, (i + 1) * dim)],
  );
}

/** Patches around a few centres. */
function clusters(
  rows: number,
  dim: number,
  centres: number,
  spread = 0.2,
): Float32Array<ArrayBuffer> {
  const means = randomFloats(5, centres * dim);
  return randomFloats(6, rows * dim).map((x, i) => {
    const row = Math.floor(i / dim);
    return 2 * means[(row % centres) * dim + i % dim]! + spread * x;
  });
}

async function learn(
  gpu: Gpu,
  data: Float32Array,
  dim: number,
  options: Parameters<typeof learnProxies>[2],
) {
  using features = uploadRows(gpu, data, dim);
  const { rows, losses } = await learnProxies(gpu, features, options);
  const proxies = await gpu.readFloats(rows.chunks[0]!);
  rows.dispose();
  return { proxies, losses };
}

Deno.test("the reference's gradient is that of its loss", () => {
  const patches = matrix(randomFloats(1, 5 * 3), 3);
  const proxies = matrix(randomFloats(2, 4 * 3), 3);
  const gradient = proxyGradient(patches, proxies, 0.7);
  const differences = proxies.map((row, j) =>
    row.map((_, d) => {
      const at = (step: number): Matrix =>
        proxies.map((r, k) =>
          r.map((x, e) => k === j && e === d ? x + step : x)
        );
      return (meanLoss(patches, at(1e-5), 0.7) -
        meanLoss(patches, at(-1e-5), 0.7)) / 2e-5;
    })
  );
  assertAllClose(gradient.flat(), differences.flat(), { rtol: 1e-6 });
});

for (
  const { rows, dim, count, batch, steps, temperature, bytes } of [
    { rows: 1, dim: 4, count: 1, batch: 1, steps: 2 },
    { rows: 30, dim: 8, count: 5, batch: 7, steps: 6, temperature: 0.5 },
    { rows: 50, dim: 12, count: 17, batch: 16, steps: 4 },
    { rows: 90, dim: 20, count: 70, batch: 66, steps: 3, temperature: 2 },
    { rows: 120, dim: 8, count: 4, batch: 32, steps: 9, bytes: 1600 },
  ]
) {
  gpuTest(
    `learnProxies() learns ${count} of ${rows} × ${dim} as the float64 reference`,
    async (gpu) => {
      const data = clusters(rows, dim, 3, 1);
      const options = {
        count,
        batch,
        steps,
        seed: 11,
        rate: 0.02,
        temperature: temperature ?? 1,
      };
      const device = bytes === undefined ? gpu : narrow(gpu, bytes);
      using features = uploadRows(device, data, dim);
      const calls: number[] = [];
      const actual = await learnProxies(gpu, features, {
        ...options,
        onProgress: (done) => calls.push(done),
      });
      assertEquals(calls.length, steps);
      const all = matrix(data, dim);
      const random = new Mt19937(11);
      const first = [...choice(random, rows, count)].map((i) => all[i]!);
      let order: number[] = [];
      const batches = Array.from({ length: steps }, () => {
        if (order.length < batch) order = [...permutation(random, rows)];
        return order.splice(0, batch).map((i) => all[i]!);
      });
      const expected = adam(batches, first, 0.02, options.temperature);
      assertAllClose(actual.losses, expected.losses, {
        rtol: 1e-4,
        atol: 1e-6,
      });
      const proxies = await gpu.readFloats(actual.rows.chunks[0]!);
      actual.rows.dispose();
      assertAllClose(proxies, expected.proxies.flat(), {
        rtol: 1e-4,
        atol: 2e-4,
      });
    },
  );
}

gpuTest("learnProxies() finds the centres of clusters", async (gpu) => {
  const dim = 8;
  const data = clusters(400, dim, 4, 0.1);
  const options = { count: 8, batch: 64, steps: 150, temperature: 0.05 };
  const first = await learn(gpu, data, dim, { ...options, steps: 1 });
  const { proxies, losses } = await learn(gpu, data, dim, options);
  const before = meanLoss(matrix(data, dim), matrix(first.proxies, dim), 0.05);
  const after = meanLoss(matrix(data, dim), matrix(proxies, dim), 0.05);
  assert(after < 0.9 * before, `${after} after, ${before} before`);
  assertEquals(losses.length, 150);
});

gpuTest("learnProxies() repeats itself by seed", async (gpu) => {
  const data = clusters(100, 8, 4);
  const options = { count: 9, batch: 32, steps: 5 };
  const once = await learn(gpu, data, 8, options);
  assertEquals(await learn(gpu, data, 8, options), once);
  const other = await learn(gpu, data, 8, { ...options, seed: 1 });
  assert(other.proxies.some((x, i) => x !== once.proxies[i]));
});

gpuTest("learnProxies() says what does not fit", async (gpu) => {
  using features = uploadRows(gpu, clusters(20, 4, 2), 4);
  const learning = (options: Parameters<typeof learnProxies>[2]) => () =>
    learnProxies(gpu, features, options);
  await assertRejects(learning({ count: 21 }), RangeError, "from 1 to 20");
  await assertRejects(
    learning({ count: 2, temperature: 0 }),
    RangeError,
    "temperature must be above 0",
  );
  await assertRejects(
    () => learnProxies(narrow(gpu, 100), features, { count: 20 }),
    RangeError,
    "binds at once (100)",
  );
});
