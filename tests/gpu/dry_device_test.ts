import { assertEquals } from "@std/assert";
import { dryGpu } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";
import { scaleKernel } from "./scale_kernel.ts";

gpuTest("dryGpu() counts bytes by label at the peak", (gpu) => {
  const { gpu: dry, memory } = dryGpu(gpu);
  const bytes = gpu.pool.bytes;
  const small = dry.tensor([64], "f32", "small");
  const large = dry.tensor([1024], "f32", "large");
  large.dispose();
  dry.tensor([128], "f32", "later");
  small.dispose();
  assertEquals(Object.fromEntries(memory.atPeak), {
    small: 256,
    free: 4096,
    later: 512,
  });
  assertEquals(dry.peakBytes, 256 + 4096 + 512);
  assertEquals(gpu.pool.bytes, bytes);
});

gpuTest(
  "dryGpu() compiles and runs programs, and reads what it is told",
  async (gpu) => {
    const { gpu: dry } = dryGpu(gpu, (label, words) => {
      if (label === "counter") words.fill(7);
    });
    const x = dry.upload(new Float32Array(8));
    const y = dry.tensor([8], "f32", "result");
    const counter = dry.tensor([2], "u32", "counter");
    const program = dry.program("scale").dispatch(
      scaleKernel,
      { count: 8, factor: 2 },
      { x, y },
    );
    await program.compile();
    program.run();
    const [result, count] = await dry.readAll([y, counter]);
    assertEquals([...result!], new Array(8).fill(0));
    assertEquals([...count!], [7, 7]);
  },
);
