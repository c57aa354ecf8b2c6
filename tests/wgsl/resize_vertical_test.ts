import { assertEquals } from "@std/assert";
import { planResize } from "../../src/core/images/resize_plan.ts";
import { resizeVertical } from "../../src/wgsl/resize_vertical.ts";
import { resize } from "../reference/resize.ts";
import { gpuTest } from "../testing.ts";

const TABLE = Float32Array.from(
  { length: 256 * 4 },
  (_, i) => i % 4 === 3 ? -1 : Math.floor(i / 4) * 10 + i % 4,
);

for (
  const [width, height, rows] of [[1, 1, 1], [5, 7, 3], [33, 3, 40], [
    40,
    90,
    31,
  ]] as const
) {
  const what = `${width} × ${height} to ${rows} rows`;
  gpuTest(`resize_vertical equals the oracle: ${what}`, async (gpu) => {
    const data = Uint8Array.from(
      { length: width * height * 4 },
      (_, i) => i * i * 31 >> 3,
    );
    const expected = resize({ width, height, data }, width, rows).data;
    const settings = { resize: rows, crop: null, square: true };
    const plan = planResize(width, height, settings).rows;
    using x = gpu.upload(new Uint32Array(data.buffer));
    using taps = gpu.upload(plan.taps);
    using table = gpu.upload(TABLE);
    using y = gpu.upload(new Float32Array(2 * width * rows * 4));
    using program = gpu.program("test");
    const { tapCount } = plan;
    const sizes = { rows, columns: width, stride: width, tapCount, image: 1 };
    program.dispatch(resizeVertical, sizes, { x, taps, table, y });
    await program.compile();
    program.run();
    const actual = await gpu.readFloats(y);
    const half = actual.length / 2;
    assertEquals(actual.subarray(0, half), new Float32Array(half));
    assertEquals(
      actual.subarray(half),
      Float32Array.from(
        expected,
        (level, i) => TABLE[(i % 4 === 3 ? 0 : level) * 4 + i % 4]!,
      ),
    );
  });
}

gpuTest("resize_vertical copies a part of wider rows", async (gpu) => {
  const words = Uint32Array.from({ length: 4 * 6 }, (_, i) => i);
  using x = gpu.upload(words);
  using taps = gpu.upload(Int32Array.of(1, 3, 1 << 22, 1 << 22));
  using table = gpu.upload(TABLE);
  using y = gpu.tensor([1, 2, 3, 4]);
  using program = gpu.program("test");
  const sizes = { rows: 2, columns: 3, stride: 6, firstColumn: 2, tapCount: 1 };
  program.dispatch(resizeVertical, sizes, { x, taps, table, y });
  await program.compile();
  program.run();
  const red = (await gpu.readFloats(y)).filter((_, i) => i % 4 === 0);
  assertEquals(red, Float32Array.of(80, 90, 100, 200, 210, 220));
});
