/**
 * Projecting the patches of a training set (1536 to 128) and picking a tenth
 * of them: 10 images of 28 × 28 patches.
 */
import { greedyCoreset } from "../src/core/bank/coreset.ts";
import { project } from "../src/core/bank/projection.ts";
import { RowChunks } from "../src/gpu/mod.ts";
import { randomFloats } from "../tests/testing.ts";
import { gpu } from "./harness.ts";

const ROWS = 7840;
const INPUTS = 1536;
const OUTPUTS = 128;

function randomRows(dim: number): RowChunks {
  const rows = RowChunks.allocate(gpu, ROWS, dim, "patches");
  for (const chunk of rows.chunks) {
    gpu.write(chunk, randomFloats(1, chunk.size));
  }
  return rows;
}

const matrix = randomFloats(2, OUTPUTS * INPUTS);

Deno.bench({
  name: `project() ${ROWS} rows from ${INPUTS} to ${OUTPUTS}`,
  n: 3,
  warmup: 1,
}, async (b) => {
  using rows = randomRows(INPUTS);
  await gpu.finish();
  b.start();
  using projected = await project(gpu, rows, {
    outputs: OUTPUTS,
    inputs: INPUTS,
    matrix,
  });
  await gpu.readBuffer(projected.chunks[0]!.buffer, 4);
  b.end();
});

for (const method of ["plain", "lazy"] as const) {
  Deno.bench({
    name: `greedyCoreset() ${method}`,
    group: `${ROWS / 10} of ${ROWS} rows of ${OUTPUTS}`,
    baseline: method === "plain",
    n: 3,
    warmup: 1,
  }, async (b) => {
    using rows = randomRows(OUTPUTS);
    await gpu.finish();
    b.start();
    await greedyCoreset(gpu, rows, {
      picks: ROWS / 10,
      start: { kind: "included", point: 0 },
      method,
    });
    b.end();
  });
}
