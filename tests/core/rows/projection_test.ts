import { assertRejects } from "@std/assert";
import { project } from "../../../src/core/rows/projection.ts";
import type { Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import { readSafetensors } from "../../../src/nn/safetensors.ts";
import { floatData } from "../../../src/nn/stored_tensor.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows, withoutSubgroups } from "../coreset/some_rows.ts";

async function download(gpu: Gpu, rows: RowChunks): Promise<number[]> {
  const parts = await gpu.readAll([...rows.chunks]);
  return parts.flatMap((part) => Array.from(part));
}

/** The projection from its definition in float64, padded to 4 columns. */
function projectReference(
  rows: Float32Array,
  matrix: Float32Array,
  inputs: number,
  outputs: number,
): number[] {
  const dim = Math.ceil(inputs / 4) * 4;
  const columns = Math.ceil(outputs / 4) * 4;
  const result: number[] = [];
  for (let row = 0; row < rows.length / dim; row++) {
    for (let o = 0; o < columns; o++) {
      let sum = 0;
      for (let k = 0; k < inputs && o < outputs; k++) {
        sum += rows[row * dim + k]! * matrix[o * inputs + k]!;
      }
      result.push(sum);
    }
  }
  return result;
}

for (
  const [rows, inputs, outputs, bytes] of [
    [1, 4, 4, 0],
    [15, 8, 3, 0],
    [17, 10, 68, 0],
    [100, 64, 128, 0],
    [100, 20, 8, 1000],
    [333, 12, 132, 4096],
  ]
) {
  gpuTest(
    `project() maps ${rows} rows × ${inputs} to ${outputs}${
      bytes ? " across chunks" : ""
    }`,
    async (gpu) => {
      const dim = Math.ceil(inputs / 4) * 4;
      const data = randomFloats(1, rows * dim);
      const matrix = randomFloats(2, outputs * inputs);
      const expected = projectReference(data, matrix, inputs, outputs);
      for (const device of [gpu, withoutSubgroups(gpu)]) {
        const limited = bytes ? narrow(device, bytes) : device;
        using source = uploadRows(limited, data, dim);
        using projected = await project(limited, source, {
          inputs,
          outputs,
          matrix,
        });
        assertAllClose(await download(gpu, projected), expected, {
          atol: 1e-5,
        });
      }
    },
  );
}

gpuTest("project() gives the published projection", async (gpu, _t, shared) => {
  const { tensors } = readSafetensors(
    await Deno.readFile(
      shared("golden/patchcore/wide_resnet.knn5_p5.safetensors"),
    ),
  );
  const [outputs, inputs] = tensors.get("projection")!.shape as [
    number,
    number,
  ];
  using rows = uploadRows(
    gpu,
    floatData(tensors.get("train_embedding")!),
    inputs,
  );
  using projected = await project(gpu, rows, {
    inputs,
    outputs,
    matrix: floatData(tensors.get("projection")!),
  });
  assertAllClose(
    await download(gpu, projected),
    floatData(tensors.get("projected")!),
    { rtol: 1e-4, atol: 1e-5 },
  );
}, { shared: true });

gpuTest("project() says what does not fit", async (gpu) => {
  using rows = uploadRows(gpu, randomFloats(1, 16), 8);
  await assertRejects(
    () =>
      project(gpu, rows, {
        inputs: 4,
        outputs: 2,
        matrix: new Float32Array(8),
      }),
    RangeError,
    "rows of 8 elements",
  );
});
