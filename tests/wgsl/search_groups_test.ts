import { type Gpu, imageOf } from "../../src/gpu/mod.ts";
import { FAR, packedNorms } from "../../src/wgsl/packed_norms.ts";
import { packRows, PANEL_ROWS } from "../../src/wgsl/pack_rows.ts";
import {
  searchGroupCount,
  searchGroups,
  searchGroupsInBuffer,
  type SearchGroupsKernel,
} from "../../src/wgsl/search_groups.ts";
import { runsOn } from "./run_kernel.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";

const kernels = new Set([
  ...Object.values(searchGroups),
  ...Object.values(searchGroupsInBuffer),
]);

/** Least |b|² − 2 q·b of every group, from its definition in float64. */
function leastOfGroups(
  queries: Float32Array,
  bank: Float32Array,
  dim: number,
  panelsPerGroup: number,
  exclude?: (query: number, row: number) => boolean,
): Float64Array {
  const count = queries.length / dim;
  const rows = bank.length / dim;
  const groups = searchGroupCount(rows, panelsPerGroup);
  const least = new Float64Array(count * groups).fill(FAR);
  for (let q = 0; q < count; q++) {
    for (let row = 0; row < rows; row++) {
      if (exclude?.(q, row)) continue;
      let score = 0;
      for (let k = 0; k < dim; k++) {
        const b = bank[row * dim + k]!;
        score += b * b - 2 * b * queries[q * dim + k]!;
      }
      const panel = Math.floor(row / PANEL_ROWS);
      const group = Math.floor(panel / panelsPerGroup) * 8 +
        Math.floor(row % PANEL_ROWS / 8);
      const at = q * groups + group;
      least[at] = Math.min(least[at]!, score);
    }
  }
  return least;
}

/** Packs rows and measures their norms on the GPU. */
async function pack(gpu: Gpu, data: Float32Array<ArrayBuffer>, dim: number) {
  const rows = data.length / dim;
  const panels = Math.ceil(rows / PANEL_ROWS);
  using source = gpu.upload(data, [rows, dim]);
  const packed = gpu.tensor([panels, dim, PANEL_ROWS]);
  const norms = gpu.tensor([panels * PANEL_ROWS]);
  using program = gpu.program("pack");
  program.dispatch(packRows, { rows, dim }, {
    rows: source,
    shift: source,
    packed,
  });
  program.dispatch(packedNorms, { rows, dim }, { packed, norms });
  (await program.compile()).run();
  await gpu.finish();
  return { packed, norms };
}

/** Queries, rows, elements of a row, panels of a group. */
const SHAPES = [
  [1, 1, 4, 1],
  [16, 64, 8, 1],
  [17, 65, 12, 2],
  [63, 500, 4, 3],
  [65, 1025, 20, 1],
  [32, 130, 64, 1],
  [33, 128, 4, 1],
] as const;

for (const kernel of kernels) {
  gpuTest(
    `${kernel.name} ranks groups of rows for each query`,
    async (gpu, t) => {
      for (const shape of SHAPES) {
        const [count, rows, dim] = shape;
        await t.step({
          name: `${rows} rows × ${dim} for ${count} queries`,
          ignore: !runsOn(gpu, kernel),
          fn: () => check(gpu, kernel, shape),
        });
      }
    },
  );
}

async function check(
  gpu: Gpu,
  kernel: SearchGroupsKernel,
  [count, rows, dim, panelsPerGroup]: (typeof SHAPES)[number],
): Promise<void> {
  const queries = randomFloats(1, count * dim);
  const bank = randomFloats(2, rows * dim);
  using q = gpu.upload(queries);
  const b = await pack(gpu, bank, dim);
  using image = imageOf(gpu, b.packed);
  const padded = Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS;
  const imageNumber = (i: number): number => i % 5;
  const images = Uint32Array.from(
    { length: padded },
    (_, i) => imageNumber(i),
  );
  using bankImages = gpu.upload(images);
  using queryImages = gpu.upload(
    Uint32Array.from({ length: count }, (_, i) => imageNumber(i)),
  );
  const groups = searchGroupCount(rows, panelsPerGroup);
  for (const exclude of [false, true]) {
    using least = gpu.tensor([count, groups]);
    using program = gpu.program("groups");
    program.dispatch(kernel, {
      queries: count,
      dim,
      rows,
      panelsPerGroup,
      exclude,
    }, {
      queries: q,
      bank: kernel.bindings.bank === "read" ? b.packed : image,
      norms: b.norms,
      images: bankImages,
      query_images: queryImages,
      least,
    });
    (await program.compile()).run();
    const expected = leastOfGroups(
      queries,
      bank,
      dim,
      panelsPerGroup,
      exclude ? (i, j) => imageNumber(i) === imageNumber(j) : undefined,
    );
    assertAllClose(await gpu.readFloats(least), expected, {
      atol: 1e-5,
      what: exclude ? "other images" : "all images",
    });
  }
  for (const t of [b.packed, b.norms]) t.dispose();
}
