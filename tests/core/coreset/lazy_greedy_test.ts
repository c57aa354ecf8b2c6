import { assert, assertEquals } from "@std/assert";
import { greedyCoreset } from "../../../src/core/coreset/greedy_coreset.ts";
import { gpuTest, randomFloats } from "../../testing.ts";
import { uploadRows } from "./some_rows.ts";

const LARGE: Readonly<Record<string, (dim: number) => Float32Array>> = {
  "of one cloud": (dim) => randomFloats(1, 9000 * dim),
  // All clusters have a pick after 150, so that the radius falls at once.
  "of tight clusters": (dim) => {
    const centres = randomFloats(1, 150 * dim);
    return randomFloats(2, 9000 * dim).map((noise, i) =>
      centres[Math.floor(i / dim) * 7 % 150 * dim + i % dim]! + noise / 1000
    );
  },
};

for (const [name, make] of Object.entries(LARGE)) {
  for (const dim of [8, 100]) {
    gpuTest(
      `greedyCoreset() leaves rows out and picks the same: ${dim} ${name}`,
      async (gpu) => {
        using rows = uploadRows(gpu, make(dim), dim);
        for (
          const start of [
            { kind: "mean", points: [0, 1, 8999] },
            { kind: "kept", rows: 20 },
          ] as const
        ) {
          const options = { picks: 400, start };
          const lazy = await greedyCoreset(gpu, rows, options);
          const plain = await greedyCoreset(gpu, rows, {
            ...options,
            method: "plain",
          });
          assertEquals(lazy.indices, plain.indices);
          assertEquals(lazy.radius, plain.radius);
          assert(lazy.passes < 40, `${lazy.passes} passes`);
        }
      },
    );
  }
}
