import { assert } from "@std/assert";
import { principalAxes } from "../../../src/core/search/principal_axes.ts";
import { gpuTest } from "../../testing.ts";
import { uploadRows } from "../coreset/some_rows.ts";
import { DIM, spread } from "./spread_rows.ts";

gpuTest("principalAxes() stretches no difference", async (gpu) => {
  using rows = uploadRows(gpu, spread(5, 800, 300), DIM);
  const { matrix, count } = await principalAxes(gpu, rows, 256);
  // The spectral norm, by power iteration in float64.
  let vector = Float64Array.from({ length: count }, (_, c) => 1 + c % 3);
  let norm = 0;
  for (let i = 0; i < 50; i++) {
    const image = Float64Array.from({ length: DIM }, (_, k) => {
      let sum = 0;
      for (let c = 0; c < count; c++) {
        sum += matrix[k * count + c]! * vector[c]!;
      }
      return sum;
    });
    const back = Float64Array.from({ length: count }, (_, c) => {
      let sum = 0;
      for (let k = 0; k < DIM; k++) sum += matrix[k * count + c]! * image[k]!;
      return sum;
    });
    norm = Math.hypot(...back) / Math.hypot(...vector);
    vector = back.map((x) => x / Math.hypot(...back));
  }
  assert(norm <= 1, `squared spectral norm ${norm}`);
  assert(norm > 1 - 1e-4, `squared spectral norm ${norm}`);
});
