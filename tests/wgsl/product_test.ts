import { product, type ProductSizes } from "../../src/wgsl/product.ts";
import { rowNorms } from "../../src/wgsl/row_norms.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";

type Case = Omit<ProductSizes, "lanes">;

/** C by its definition in float64, over what `c` held before. */
function expected(
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  sizes: Case,
): Float64Array {
  const { rows, inner, columns, scale = 1, count = 1, add } = sizes;
  const { aRow = inner, aColumn = 1, bRow = columns, cRow = columns } = sizes;
  const result = Float64Array.from(c);
  for (let z = 0; z < count; z++) {
    for (let m = 0; m < rows; m++) {
      for (let n = 0; n < columns; n++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          sum += a[
            (sizes.aFirst ?? 0) + z * (sizes.aBatch ?? 0) + m * aRow +
            k * aColumn
          ]! *
            b[z * (sizes.bBatch ?? 0) + k * bRow + n]!;
        }
        const at = z * (sizes.cBatch ?? 0) + m * cRow + n;
        result[at] = (add ? result[at]! : 0) + scale * sum;
      }
    }
  }
  return result;
}

for (
  const sizes of [
    { rows: 1, inner: 1, columns: 4 },
    { rows: 16, inner: 8, columns: 32 },
    { rows: 17, inner: 33, columns: 260, scale: -2 },
    { rows: 31, inner: 7, columns: 36, add: true, scale: 0.5 },
    { rows: 20, inner: 9, columns: 12, aRow: 1, aColumn: 20 },
    { rows: 3, inner: 5, columns: 8, bRow: 16, cRow: 12, aFirst: 13 },
    {
      rows: 18,
      inner: 4,
      columns: 8,
      count: 3,
      aRow: 12,
      aBatch: 4,
      bBatch: 32,
      cRow: 24,
      cBatch: 8,
    },
  ] satisfies Case[]
) {
  gpuTest(`product of ${JSON.stringify(sizes)}`, async (gpu) => {
    const a = randomFloats(1, 2000);
    const b = randomFloats(2, 10_000);
    const c = randomFloats(3, 10_000);
    for (const lanes of [8, 64]) {
      using x = gpu.upload(a);
      using y = gpu.upload(b);
      using z = gpu.upload(c);
      using program = gpu.program("product");
      program.dispatch(product, { ...sizes, lanes }, { a: x, b: y, c: z });
      (await program.compile()).run();
      assertAllClose(await gpu.readFloats(z), expected(a, b, c, sizes), {
        rtol: 1e-5,
        atol: 1e-5,
      });
    }
  });
}

gpuTest("row_norms sums squares", async (gpu) => {
  for (const [rows, dim] of [[1, 4], [65, 12], [200, 68]] as const) {
    for (const shift of [false, true]) {
      const data = randomFloats(1, rows * dim);
      const centre = randomFloats(2, dim);
      using x = gpu.upload(data, [rows, dim]);
      using m = gpu.upload(centre);
      using norms = gpu.tensor([rows]);
      using program = gpu.program("norms");
      program.dispatch(rowNorms, { rows, dim, shift }, {
        rows: x,
        shift: m,
        norms,
      });
      (await program.compile()).run();
      const sums = Array.from(
        { length: rows },
        (_, r) =>
          data.subarray(r * dim, (r + 1) * dim).reduce(
            (sum, value, k) => sum + (value - (shift ? centre[k]! : 0)) ** 2,
            0,
          ),
      );
      assertAllClose(await gpu.readFloats(norms), sums);
    }
  }
});
