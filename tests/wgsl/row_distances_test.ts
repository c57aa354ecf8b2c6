import { rowDistances } from "../../src/wgsl/row_distances.ts";
import { squaredDistance } from "../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";

gpuTest("row_distances measures by direct differences", async (gpu) => {
  for (const [queries, rows, dim] of [[1, 1, 4], [3, 65, 8], [2, 300, 44]]) {
    const a = randomFloats(1, queries! * dim!).map((x) => 100 + x);
    const b = randomFloats(2, rows! * dim!).map((x) => 100 + x);
    using x = gpu.upload(a, [queries!, dim!]);
    using y = gpu.upload(b, [rows!, dim!]);
    using distances = gpu.tensor([queries!, rows!]);
    using program = gpu.program("distances");
    program.dispatch(
      rowDistances,
      { queries: queries!, rows: rows!, dim: dim! },
      { queries: x, rows: y, distances },
    );
    (await program.compile()).run();
    const expected = Array.from(
      { length: queries! * rows! },
      (_, i) => squaredDistance(a, Math.floor(i / rows!), b, i % rows!, dim!),
    );
    assertAllClose(await gpu.readFloats(distances), expected, { rtol: 1e-4 });
  }
});
