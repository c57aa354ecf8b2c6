import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Gpu, Profiler, StageClock } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";
import { scaleKernel } from "./scale_kernel.ts";

const sizes = { count: 2, factor: 2 };
const TIMED = { feature: "timestamp-query" } as const;

gpuTest(
  "Profiler.report() sums time by kernel and role over runs",
  async (gpu) => {
    using x = gpu.upload(Float32Array.of(1, 2));
    using y = gpu.tensor([2]);
    using z = gpu.tensor([2]);
    using program = await gpu.program("profiled")
      .dispatch(scaleKernel, sizes, { x, y }, "conv1")
      .dispatch(scaleKernel, sizes, { x: y, y: z }, "conv2")
      .dispatch(scaleKernel, sizes, { x: z, y }, "conv2")
      .dispatch(scaleKernel, sizes, { x, y: z })
      .compile();
    const profiler = new Profiler(gpu);
    gpu.profiler = profiler;
    try {
      program.run();
      program.run();
    } finally {
      gpu.profiler = undefined;
    }
    program.run();
    const report = await profiler.report();
    assertEquals(
      Object.fromEntries(report.map(({ label, count }) => [label, count])),
      { "scale conv1": 2, "scale conv2": 4, "scale": 2 },
    );
    const times = report.map(({ ms }) => ms);
    assert(times.every((ms) => ms >= 0), `${times}`);
    assertEquals(times, times.toSorted((a, b) => b - a));
    assertEquals(await profiler.report(), report);
    assertEquals(await gpu.read(z), Float32Array.of(2, 4));
  },
  TIMED,
);

gpuTest("Profiler changes nothing in the results", async (gpu) => {
  using x = gpu.upload(Float32Array.of(1, 2));
  const tensors = Array.from({ length: 30 }, () => gpu.tensor([2]));
  using program = gpu.program("chain");
  tensors.forEach((y, i) =>
    program.dispatch(scaleKernel, sizes, { x: i ? tensors[i - 1]! : x, y })
  );
  await program.compile();
  gpu.profiler = new Profiler(gpu);
  program.run();
  const counts = (await gpu.profiler.report()).map(({ count }) => count);
  gpu.profiler = undefined;
  assertEquals(counts, [30]);
  assertEquals(await gpu.read(tensors[29]!), Float32Array.of(2 ** 30, 2 ** 31));
  for (const tensor of tensors) tensor.dispose();
}, TIMED);

gpuTest("Profiler refuses an adapter without timestamps", () => {
  const gpu = {
    device: { features: new Set() },
    adapterName: "plain",
  } as unknown as Gpu;
  assertThrows(
    () => new Profiler(gpu),
    TypeError,
    'Cannot profile on "plain": the adapter has no timestamp queries',
  );
  assertEquals(StageClock.create(gpu, 2), undefined);
});

gpuTest("StageClock times each program of one submit", async (gpu) => {
  using x = gpu.upload(Float32Array.of(1, 2));
  using y = gpu.tensor([2]);
  using z = gpu.tensor([2]);
  using first = await gpu.program("first")
    .dispatch(scaleKernel, sizes, { x, y }).compile();
  using second = await gpu.program("second")
    .dispatch(scaleKernel, sizes, { x: y, y: z }).compile();
  using clock = StageClock.create(gpu, 2)!;
  gpu.submit([first, second], clock);
  const [ticks, result] = await gpu.readAll([clock.ticks, z]);
  assertEquals(result, Float32Array.of(4, 8));
  const times = clock.milliseconds(ticks as Uint32Array);
  assertEquals(times.length, 2);
  assert(times.every((ms) => ms >= 0 && ms < 60_000), `${times}`);
  assert(new BigUint64Array(ticks!.buffer).every((tick) => tick > 0n));
}, TIMED);
