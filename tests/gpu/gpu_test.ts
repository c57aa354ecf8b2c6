import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DryDevice, Gpu, GpuError, GpuLostError } from "../../src/gpu/mod.ts";
import { DEFAULT_LIMITS } from "../humble_adapter.ts";
import { gpuTest } from "../testing.ts";
import { ownGpuTest } from "./own_gpu.ts";
import { scaleKernel } from "./scale_kernel.ts";

gpuTest("Gpu.create() asks for all that the adapter has", async (gpu) => {
  const adapter = await navigator.gpu.requestAdapter();
  const { limits } = gpu.device;
  const offered = adapter!.limits.maxStorageBufferBindingSize;
  assertEquals(limits.maxStorageBufferBindingSize, offered - offered % 4);
  assertEquals(gpu.maxTensorBytes % 4, 0);
  assert(gpu.maxTensorBytes <= limits.maxBufferSize);
  assert(gpu.adapterName.length > 0);
});

Deno.test.each<[Partial<GPUAdapterInfo>, boolean]>([
  [{ description: "llvmpipe (LLVM 15)", isFallbackAdapter: true }, true],
  [{ description: "llvmpipe (LLVM 15)" }, true],
  [{ description: "Microsoft Basic Render Driver" }, true],
  [{ description: "SwiftShader Device (Subzero)" }, true],
  [{ description: "NVIDIA GeForce RTX 4090", isFallbackAdapter: false }, false],
  [{ vendor: "apple", architecture: "common-3" }, false],
])("Gpu.isCpu of %j is %s", (info, expected) => {
  const { device } = new DryDevice({
    limits: DEFAULT_LIMITS as unknown as GPUSupportedLimits,
    features: new Set<GPUFeatureName>(),
  });
  const gpu = new Gpu(device, info as GPUAdapterInfo, true);
  assertEquals(gpu.isCpu, expected);
});

ownGpuTest("Gpu.check() throws every error once", async (gpu) => {
  gpu.device.createBuffer({ size: 4, usage: 0x1 | 0x80 });
  await assertRejects(
    () => gpu.finish(),
    GpuError,
    "The GPU refused a command: ",
  );
  gpu.check();
});

ownGpuTest(
  "Gpu reports a lost device as GpuLostError, whatever is asked",
  async (gpu) => {
    const x = gpu.upload(Float32Array.of(1, 2));
    const y = gpu.tensor([2]);
    const program = await gpu.program("lost")
      .dispatch(scaleKernel, { count: 2, factor: 2 }, { x, y }).compile();
    gpu.device.destroy();
    await gpu.device.lost;
    const message = `The GPU device "${gpu.adapterName}" was lost: `;
    assertThrows(() => gpu.check(), GpuLostError, message);
    assertThrows(() => gpu.check(), GpuLostError, "run again");
    assertThrows(() => gpu.tensor([1]), GpuLostError, message);
    assertThrows(() => gpu.upload(Float32Array.of(1)), GpuLostError, message);
    assertThrows(() => program.run(), GpuLostError, message);
    await assertRejects(() => gpu.read(x), GpuLostError, message);
    await assertRejects(() => gpu.finish(), GpuLostError, message);
  },
);

ownGpuTest(
  "Gpu.read() tells that the device went away while it waited",
  async (gpu) => {
    const x = gpu.upload(Float32Array.of(1, 2));
    const reading = gpu.read(x);
    gpu.device.destroy();
    await assertRejects(() => reading, GpuLostError, "was lost");
  },
);

ownGpuTest("Gpu.dispose() ends the device", async (gpu) => {
  gpu.dispose();
  const { reason } = await gpu.device.lost;
  assertEquals(reason, "destroyed");
  assertThrows(() => gpu.check(), GpuLostError);
});
