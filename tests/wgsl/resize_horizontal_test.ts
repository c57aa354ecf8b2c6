import { assertEquals } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import { planResize } from "../../src/core/images/resize_plan.ts";
import { resizeHorizontal } from "../../src/wgsl/resize_horizontal.ts";
import { resize } from "../reference/resize.ts";
import { gpuTest } from "../testing.ts";

function image(width: number, height: number): Uint32Array<ArrayBuffer> {
  let state = width;
  return Uint32Array.from({ length: width * height }, () => {
    state = Math.imul(state, 0x915f77f5) + 12345 >>> 0;
    return (state | 0xff000000) >>> 0;
  });
}

async function run(
  gpu: Gpu,
  source: Uint32Array<ArrayBuffer>,
  width: number,
  columns: number,
  bands: readonly number[],
): Promise<Uint32Array> {
  const height = source.length / width;
  const plan = planResize(width, height, {
    resize: columns,
    crop: null,
    square: true,
  });
  const { taps, tapCount } = plan.columns;
  using tapsTensor = gpu.upload(taps);
  using y = gpu.upload(new Uint32Array(height * columns));
  let firstRow = 0;
  for (const rows of bands) {
    const part = source.slice(firstRow * width, (firstRow + rows) * width);
    using x = gpu.upload(part);
    using program = gpu.program("test");
    const sizes = { width, rows, columns, tapCount, firstRow };
    program.dispatch(resizeHorizontal, sizes, { x, taps: tapsTensor, y });
    await program.compile();
    program.run();
    firstRow += rows;
  }
  return await gpu.read(y) as Uint32Array;
}

for (
  const [width, height, columns, bands] of [
    [1, 1, 1, [1]],
    [7, 5, 3, [5]],
    [3, 6, 40, [6]],
    [100, 9, 33, [4, 5]],
    [65, 11, 64, [1, 9, 1]],
  ] as const
) {
  const what = `${width} × ${height} to ${columns} columns in bands ${bands}`;
  gpuTest(`resize_horizontal equals the oracle: ${what}`, async (gpu) => {
    const source = image(width, height);
    const data = new Uint8Array(source.buffer);
    const expected = resize({ width, height, data }, columns, height);
    const actual = await run(gpu, source, width, columns, bands);
    assertEquals(new Uint8Array(actual.buffer), expected.data);
  });
}

gpuTest("resize_horizontal counts taps from firstColumn", async (gpu) => {
  const source = Uint32Array.from({ length: 8 }, (_, i) => 0xff000000 + i);
  using x = gpu.upload(source);
  using taps = gpu.upload(Int32Array.of(0, 1, 1 << 22, 1 << 22));
  using y = gpu.tensor([2], "u32");
  using program = gpu.program("test");
  const sizes = { width: 8, rows: 1, columns: 2, tapCount: 1, firstColumn: 5 };
  program.dispatch(resizeHorizontal, sizes, { x, taps, y });
  await program.compile();
  program.run();
  assertEquals(await gpu.read(y), source.slice(5, 7));
});
