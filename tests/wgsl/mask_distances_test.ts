import { assertEquals } from "@std/assert";
import { maskDistances } from "../../src/wgsl/mod.ts";
import { gpuTest } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

gpuTest(
  "mask_distances sets those of masked patches to 0, but none that was not found",
  async (gpu) => {
    for (const [rows, neighbours] of [[1, 1], [65, 3], [130, 16]] as const) {
      const far = Math.fround(3e38);
      const distances = Float32Array.from(
        { length: rows * neighbours },
        (_, i) => i % 7 === 3 ? far : i + 1,
      );
      const mask = Uint32Array.from({ length: rows }, (_, i) => i % 3 % 2);
      const result = await runBindings(
        gpu,
        maskDistances,
        { rows, neighbours },
        { mask, distances },
      );
      const expected = distances.map((x, i) =>
        mask[Math.floor(i / neighbours)] === 1 || x === far ? x : 0
      );
      assertEquals([...result.distances!], [...expected]);
    }
  },
);
