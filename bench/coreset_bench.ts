/**
 * Projecting the patches of 10 images of 28 × 28 patches (1536 to 128), and
 * picking a tenth of those of 40 images.
 */
import { greedyCoreset } from "../src/core/coreset/greedy_coreset.ts";
import { project } from "../src/core/rows/projection.ts";
import { RowChunks } from "../src/gpu/mod.ts";
import { randomFloats } from "../tests/testing.ts";
import { gpu } from "./harness.ts";

const PROJECTED = 7840;
const ROWS = 31_360;
const INPUTS = 1536;
const OUTPUTS = 128;

function upload(dim: number, data: Float32Array<ArrayBuffer>): RowChunks {
  const rows = RowChunks.allocate(gpu, data.length / dim, dim, "patches");
  rows.chunks.forEach((chunk, i) => {
    const start = i * rows.rowsPerChunk * dim;
    gpu.write(chunk, data.subarray(start, start + chunk.size));
  });
  return rows;
}

/** Rows that differ mostly along a few directions, as projected features do. */
function features(): Float32Array<ArrayBuffer> {
  const directions = 12;
  const axes = randomFloats(3, directions * OUTPUTS);
  const weights = randomFloats(4, ROWS * directions);
  return randomFloats(5, ROWS * OUTPUTS).map((noise, i) => {
    const [row, k] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
    let sum = noise / 2;
    for (let a = 0; a < directions; a++) {
      sum += weights[row * directions + a]! * axes[a * OUTPUTS + k]!;
    }
    return sum;
  });
}

const matrix = randomFloats(2, OUTPUTS * INPUTS);

Deno.bench({
  name: `project() ${PROJECTED} rows from ${INPUTS} to ${OUTPUTS}`,
  n: 3,
  warmup: 1,
}, async (b) => {
  using rows = upload(INPUTS, randomFloats(1, PROJECTED * INPUTS));
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

const projected = features();
for (const method of ["plain", "lazy"] as const) {
  Deno.bench({
    name: `greedyCoreset() ${method}`,
    group: `${ROWS / 10} of ${ROWS} rows of ${OUTPUTS}`,
    baseline: method === "plain",
    n: 3,
    warmup: 1,
  }, async (b) => {
    using rows = upload(OUTPUTS, projected);
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
