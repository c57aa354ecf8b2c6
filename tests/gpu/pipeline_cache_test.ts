import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { GpuError, PipelineCache } from "../../src/gpu/mod.ts";
import type { Gpu } from "../../src/gpu/mod.ts";
import type { Kernel } from "../../src/wgsl/kernel.ts";
import { gpuTest } from "../testing.ts";
import { scaleKernel, type ScaleSizes } from "./scale_kernel.ts";

gpuTest(
  "PipelineCache compiles a kernel once per set of overrides",
  async (gpu) => {
    const kernel = scaleKernel as Kernel<never>;
    const [first, second, other] = await Promise.all([
      gpu.pipelines.get(kernel, {}),
      gpu.pipelines.get(kernel, { SHIFT: 0 }),
      gpu.pipelines.get(kernel, { SHIFT: 1 }),
    ]);
    assertStrictEquals(first, second);
    assert(first.pipeline !== other.pipeline);
    assertStrictEquals(await gpu.pipelines.get(kernel, { SHIFT: 1 }), other);
  },
);

async function refusal(
  gpu: Gpu,
  change: Partial<Kernel<ScaleSizes>> & { name: string },
): Promise<string> {
  const kernel = { ...scaleKernel, ...change } as Kernel<never>;
  const error = await assertRejects(
    () => gpu.pipelines.get(kernel, {}),
    GpuError,
    `Cannot compile kernel "${change.name}"`,
  );
  return error.message;
}

const text = (from: string, to: string): string => {
  assert(scaleKernel.source.includes(from));
  return scaleKernel.source.replace(from, to);
};

gpuTest(
  "PipelineCache.get() tells a syntax error with its line",
  async (gpu) => {
    const message = await refusal(gpu, {
      name: "broken",
      source: text("y[id.x] =", "y[id.x] = ="),
    });
    assert(/:11:|11 │/.test(message), message);
  },
);

gpuTest("PipelineCache.get() fails the same way again", async (gpu) => {
  const change = { name: "broken again", source: "fn main( {}" };
  assertEquals(await refusal(gpu, change), await refusal(gpu, change));
});

gpuTest(
  "PipelineCache.get() compiles again after a refusal, once for all callers",
  async (gpu) => {
    let calls = 0;
    const device = new Proxy(gpu.device, {
      get(target, key) {
        if (key === "createComputePipelineAsync") {
          return (descriptor: GPUComputePipelineDescriptor) =>
            ++calls === 1
              ? Promise.reject(new Error("out of memory for once"))
              : target.createComputePipelineAsync(descriptor);
        }
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const cache = new PipelineCache(device);
    const kernel = scaleKernel as Kernel<never>;
    const both = await Promise.allSettled([
      cache.get(kernel, {}),
      cache.get(kernel, {}),
    ]);
    assertEquals(both.map(({ status }) => status), ["rejected", "rejected"]);
    assertEquals(calls, 1);
    const compiled = await cache.get(kernel, {});
    assertStrictEquals(await cache.get(kernel, {}), compiled);
    assertEquals(calls, 2);
  },
);

gpuTest(
  "PipelineCache.module() takes a mended text after a refused one",
  async (gpu) => {
    const broken = { ...scaleKernel, name: "mended", source: "fn" };
    const cache = gpu.pipelines;
    await assertRejects(() => cache.module(broken as Kernel<never>), GpuError);
    await cache.module({ ...scaleKernel, name: "mended" } as Kernel<never>);
  },
);

gpuTest(
  "PipelineCache.get() names an override that the text lacks",
  async (gpu) => {
    const message = await refusal(gpu, {
      name: "surplus",
      overrides: { WIDTH: 3 },
    });
    assert(message.includes('{"WIDTH":3}'), message);
  },
);

gpuTest("PipelineCache.get() names a kernel without main", async (gpu) => {
  await refusal(gpu, { name: "no main", source: text("fn main", "fn start") });
});

gpuTest(
  "PipelineCache.get() names a kernel whose bindings differ from its text",
  async (gpu) => {
    await refusal(gpu, { name: "access", bindings: { x: "read", y: "read" } });
    await refusal(gpu, { name: "too few", bindings: { x: "read" } });
  },
);

gpuTest(
  "PipelineCache.get() leaves no error behind for others",
  async (gpu) => {
    await Promise.all([
      refusal(gpu, { name: "bad one", source: "fn" }),
      refusal(gpu, { name: "bad two", source: "fn" }),
      gpu.pipelines.get(scaleKernel as Kernel<never>, { SHIFT: 2 }),
    ]);
    await gpu.finish();
  },
);
