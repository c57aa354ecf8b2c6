import { assert, assertEquals } from "@std/assert";
import { dryGpu, Gpu } from "../../src/gpu/mod.ts";
import {
  convCandidates,
  convTileFor,
  ConvTuning,
  formatChoice,
  Network,
  type TuningStore,
} from "../../src/nn/mod.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { gpuTest } from "../testing.ts";
import { graph, model, node } from "./model_builder.ts";
import { constant } from "./model_case.ts";

const SHAPE = [1, 3, 128, 128];

/** 1.3 GFLOP: just enough to be tuned. */
const NETWORK = await readOnnx(model(graph([
  node("Conv", ["x", "v"], ["stem"], { pads: [1, 1, 1, 1] }),
  node("Conv", ["stem", "w"], ["y"], { pads: [1, 1, 1, 1] }),
], [constant("v", [64, 3, 3, 3]), constant("w", [64, 64, 3, 3])])));

class MemoryStore implements TuningStore {
  readonly saved: Record<string, string>[] = [];
  readonly adapters = new Set<string>();

  load(adapter: string): Promise<Record<string, string>> {
    this.adapters.add(adapter);
    return Promise.resolve(Object.assign({}, ...this.saved));
  }

  save(adapter: string, choices: Record<string, string>): Promise<void> {
    this.adapters.add(adapter);
    this.saved.push(choices);
    return Promise.resolve();
  }
}

async function tune(
  gpu: Gpu,
  store: TuningStore,
  { shape = SHAPE, budget = 60_000 }: {
    readonly shape?: readonly number[];
    readonly budget?: number;
  } = {},
): Promise<Map<string, string>> {
  const tuning = new ConvTuning(gpu, { store, budget });
  using network = new Network(gpu, NETWORK, { tuning });
  await network.tune(shape);
  (await network.session(shape)).dispose();
  return new Map(
    [...tuning.choices].map(([key, choice]) => [key, formatChoice(choice)]),
  );
}

gpuTest(
  "ConvTuning measures each convolution once and keeps it",
  async (gpu) => {
    const store = new MemoryStore();
    gpu.pool.trim();
    const before = gpu.pool.bytes;
    const choices = await tune(gpu, store);
    assertEquals(choices.size, 2);
    assertEquals(store.saved, [Object.fromEntries(choices)]);
    using network = new Network(gpu, NETWORK);
    for (const [key, problem] of network.plan(SHAPE).problems) {
      const tile = convTileFor(gpu) as "direct" | "shared" | "subgroup8";
      const possible = convCandidates(tile, problem).map(formatChoice);
      assert(possible.includes(choices.get(key)!), choices.get(key));
    }
    assertEquals(await tune(gpu, store), choices);
    assertEquals(store.saved.length, 1, "it was measured again");
    assertEquals(store.adapters.size, 1);
    assert([...store.adapters][0]!.includes(gpu.adapterName));
    gpu.pool.trim();
    assert(gpu.pool.bytes - before <= 65_536, "memory is left");
  },
);

gpuTest(
  "ConvTuning keeps defaults, for good, when time is over",
  async (gpu) => {
    const store = new MemoryStore();
    const choices = await tune(gpu, store, { budget: 0 });
    using network = new Network(gpu, NETWORK);
    const tile = convTileFor(gpu) as "direct" | "shared" | "subgroup8";
    for (const [key, problem] of network.plan(SHAPE).problems) {
      const [fallback] = convCandidates(tile, problem);
      assertEquals(choices.get(key), formatChoice(fallback));
    }
    assertEquals(store.saved, [Object.fromEntries(choices)]);
  },
);

gpuTest("ConvTuning leaves small networks and dry runs alone", async (gpu) => {
  const store = new MemoryStore();
  assertEquals((await tune(gpu, store, { shape: [1, 3, 64, 64] })).size, 0);
  assertEquals((await tune(dryGpu(gpu).gpu, store)).size, 0);
  assertEquals(store.saved, []);
});

gpuTest(
  "Network.session() measures nothing; Network.tune() tells what it changes",
  async (gpu) => {
    const store = new MemoryStore();
    const tuning = new ConvTuning(gpu, { store, budget: 60_000 });
    using network = new Network(gpu, NETWORK, { tuning });
    const kernels = (): string[] =>
      network.plan(SHAPE).steps.map(({ kernel }) => kernel.name);
    (await network.session(SHAPE)).dispose();
    assertEquals(store.saved, []);
    const before = kernels();
    const changes = await network.tune(SHAPE);
    assertEquals(store.saved.length, 1);
    assertEquals(changes, kernels().join() !== before.join());
    assertEquals(await network.tune(SHAPE), false, "it changes twice");
  },
);

gpuTest("ConvTuning ignores what it does not understand", async (gpu) => {
  const store = new MemoryStore();
  store.saved.push({ "some problem": "warp speed" });
  assertEquals((await tune(gpu, store)).size, 2);
});

Deno.test("ConvTuning measures without timestamps as well", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const gpu = new Gpu(await adapter!.requestDevice(), adapter!.info);
  assert(!gpu.device.features.has("timestamp-query"));
  const store = new MemoryStore();
  assertEquals((await tune(gpu, store)).size, 2);
  gpu.dispose();
  await gpu.device.lost;
});
