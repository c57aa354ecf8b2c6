import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GpuError } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";
import { ownGpuTest } from "./own_gpu.ts";
import type { Kernel } from "../../src/wgsl/kernel.ts";
import { scaleKernel, type ScaleSizes } from "./scale_kernel.ts";

const INPUT = Float32Array.of(1, 2, 3);

gpuTest("Program.run() replays its dispatches in order", async (gpu) => {
  using x = gpu.upload(INPUT);
  using y = gpu.tensor([3]);
  using z = gpu.tensor([3]);
  using program = gpu.program("twice")
    .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y })
    .dispatch(scaleKernel, { count: 3, factor: 10 }, { x: y, y: z });
  assertEquals(program.length, 2);
  await program.compile();
  program.run();
  assertEquals(await gpu.read(z), Float32Array.of(20, 40, 60));
  gpu.write(x, Float32Array.of(-1, 0, 0.5));
  program.run();
  assertEquals(await gpu.read(z), Float32Array.of(-20, 0, 10));
});

gpuTest("Gpu.submit() runs several programs at once", async (gpu) => {
  using x = gpu.upload(INPUT);
  using y = gpu.tensor([3]);
  using z = gpu.tensor([3]);
  using first = await gpu.program("first")
    .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y }).compile();
  using second = await gpu.program("second")
    .dispatch(scaleKernel, { count: 3, factor: 3 }, { x: y, y: z }).compile();
  gpu.submit([first, second]);
  assertEquals(await gpu.read(z), Float32Array.of(6, 12, 18));
});

gpuTest("Program.dispatch() compiles a variant per override", async (gpu) => {
  using x = gpu.upload(INPUT);
  using y = gpu.tensor([3]);
  using z = gpu.tensor([3]);
  using program = await gpu.program("variants")
    .dispatch(scaleKernel, { count: 3, factor: 1, shift: 5 }, { x, y })
    .dispatch(scaleKernel, { count: 3, factor: 1, shift: -5 }, { x, y: z })
    .compile();
  program.run();
  assertEquals(await gpu.read(y), Float32Array.of(6, 7, 8));
  assertEquals(await gpu.read(z), Float32Array.of(-4, -3, -2));
});

gpuTest(
  "Program.setParams() changes one dispatch, compiled or not",
  async (gpu) => {
    using x = gpu.upload(INPUT);
    using y = gpu.tensor([3]);
    using z = gpu.tensor([3]);
    using program = gpu.program("set")
      .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y })
      .dispatch(scaleKernel, { count: 3, factor: 3 }, { x, y: z });
    program.setParams(0, { count: 3, factor: 4 });
    await program.compile();
    program.run();
    assertEquals(await gpu.read(y), Float32Array.of(4, 8, 12));
    program.setParams(1, { count: 2, factor: -1 });
    program.run();
    assertEquals(await gpu.read(y), Float32Array.of(4, 8, 12));
    assertEquals(await gpu.read(z), Float32Array.of(-1, -2, 9));
  },
);

gpuTest("Program holds the parameters of many dispatches", async (gpu) => {
  const count = 40;
  using x = gpu.upload(Float32Array.of(1));
  const outputs = Array.from({ length: count }, () => gpu.tensor([1]));
  using program = gpu.program("many");
  outputs.forEach((y, factor) =>
    program.dispatch(scaleKernel, { count: 1, factor }, { x, y })
  );
  await program.compile();
  program.run();
  const results = await gpu.readAll(outputs);
  assertEquals(results.map(([v]) => v), outputs.map((_, i) => i));
  for (const output of outputs) output.dispose();
});

gpuTest("Program.dispatch() leaves out an empty grid", async (gpu) => {
  using x = gpu.upload(INPUT);
  using y = gpu.upload(INPUT);
  using program = await gpu.program("empty")
    .dispatch(scaleKernel, { count: 0, factor: 2 }, { x, y }).compile();
  assertEquals(program.length, 0);
  program.run();
  assertEquals(await gpu.read(y), INPUT);
});

gpuTest("Program.dispatch() takes a tensor for every binding", (gpu) => {
  using x = gpu.upload(INPUT);
  using y = gpu.tensor([3]);
  using program = gpu.program("typed");
  const sizes = { count: 3, factor: 2 };
  program.dispatch(scaleKernel, sizes, { x, y });
  // @ts-expect-error: `z` is no binding of the kernel
  program.dispatch(scaleKernel, sizes, { x, y, z: y });
  assertThrows(() => {
    // @ts-expect-error: `y` is missing
    program.dispatch(scaleKernel, sizes, { x });
  }, GpuError);
  assertThrows(() => {
    // @ts-expect-error: `y` is misspelt
    program.dispatch(scaleKernel, sizes, { x, Y: y });
  }, GpuError);
});

gpuTest("Program.dispatch() names a missing binding", (gpu) => {
  using x = gpu.upload(INPUT);
  using program = gpu.program("missing");
  const kernel: Kernel<ScaleSizes> = scaleKernel;
  assertThrows(
    () => program.dispatch(kernel, { count: 3, factor: 2 }, { x }),
    GpuError,
    'Cannot dispatch kernel "scale": binding "y" has no tensor, got x',
  );
});

gpuTest(
  "Program.dispatch() names a parameter that is missing or no number",
  (gpu) => {
    using x = gpu.upload(INPUT);
    using program = gpu.program("params");
    const kernel = {
      ...scaleKernel,
      plan: () => ({ params: { count: 3 }, workgroups: [1, 1, 1] as const }),
    };
    assertThrows(
      () => program.dispatch(kernel, { count: 3, factor: 2 }, { x, y: x }),
      GpuError,
      'Cannot dispatch kernel "scale": parameter "factor" is undefined',
    );
    assertThrows(
      () =>
        program.dispatch(scaleKernel, { count: 3, factor: NaN }, { x, y: x }),
      GpuError,
      'parameter "factor" is NaN',
    );
  },
);

gpuTest("Program.dispatch() refuses a grid above the limit", (gpu) => {
  using x = gpu.upload(INPUT);
  using program = gpu.program("large");
  assertThrows(
    () =>
      program.dispatch(scaleKernel, { count: 8 * 65536, factor: 1 }, {
        x,
        y: x,
      }),
    GpuError,
    'Cannot dispatch kernel "scale": [65536,1,1] workgroups, at most 65535 per dimension are possible',
  );
});

gpuTest(
  "Program.run() refuses before compile() and after dispose()",
  async (gpu) => {
    using x = gpu.upload(INPUT);
    using y = gpu.tensor([3]);
    const program = gpu.program("steps")
      .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y });
    const message = 'Cannot run program "steps": it is not compiled';
    assertThrows(() => program.run(), GpuError, message);
    await program.compile();
    await program.compile();
    program.run();
    assertThrows(
      () => program.dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y }),
      GpuError,
      'Cannot record "scale": program "steps" is compiled',
    );
    program.dispose();
    program.dispose();
    assertThrows(() => program.run(), GpuError, message);
  },
);

ownGpuTest(
  "Program.run() leads to an error when a tensor is input and output",
  async (gpu) => {
    using x = gpu.upload(INPUT);
    using program = await gpu.program("in place")
      .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y: x }).compile();
    program.run();
    await assertRejects(() => gpu.finish(), GpuError, "The GPU refused");
  },
);

ownGpuTest(
  "Program.compile() names a disposed tensor; later errors still show",
  async (gpu) => {
    using x = gpu.upload(INPUT);
    const y = gpu.tensor([3], "f32", "short-lived");
    using program = gpu.program("late")
      .dispatch(scaleKernel, { count: 3, factor: 2 }, { x, y });
    y.dispose();
    await assertRejects(
      () => program.compile(),
      TypeError,
      'Cannot use tensor "short-lived" [3]: it was disposed',
    );
    gpu.device.createBuffer({ size: 4, usage: 0x1 | 0x80 });
    await assertRejects(() => gpu.finish(), GpuError, "The GPU refused");
  },
);
