import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BankBuilder,
  type Choose,
} from "../../../src/core/bank/bank_builder.ts";
import { writeRows } from "../../../src/core/bank/memory_bank.ts";
import { RowChooser } from "../../../src/core/bank/choose_rows.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import { type Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import { squaredDistance } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow } from "../coreset/some_rows.ts";

const GRID = { height: 2, width: 5 };
const PATCHES = GRID.height * GRID.width;
const DIM = 8;
const IMAGES = 60;

const DATA = randomFloats(3, IMAGES * PATCHES * DIM);

function chooser(gpu: Gpu, method: "greedy" | "random"): Choose {
  const settings = resolveSettings({
    coreset: { method, ratio: 0.1, projection: { kind: "none" } },
  });
  const rows = new RowChooser(gpu, { settings, projection: undefined });
  return (...choice) => rows.choose(...choice);
}

async function build(
  gpu: Gpu,
  choose: Choose,
  { capacity, kept, count }: {
    readonly capacity: number;
    readonly kept: (images: number) => number;
    readonly count: number;
  },
) {
  const rows = RowChunks.allocate(gpu, capacity, DIM, "rows");
  using builder = new BankBuilder(gpu, rows, {
    capacity,
    dim: DIM,
    grid: GRID,
  });
  for (let image = 0; image < IMAGES; image++) {
    if (builder.room < PATCHES) await builder.reduce(kept(image), choose);
    const start = image * PATCHES * DIM;
    const patches = DATA.subarray(start, start + PATCHES * DIM);
    writeRows(gpu, rows, builder.count, patches, DIM);
    builder.add(1);
  }
  const { bank, radius } = await builder.finish(count, choose);
  using owned = bank;
  const data = await owned.download(gpu);
  return {
    data,
    origin: bank.origin,
    radius,
    reductions: builder.reductions,
  };
}

/** The largest distance of a patch to its nearest bank row, in float64. */
function coveringRadius(bank: Float32Array): number {
  let largest = 0;
  for (let patch = 0; patch < IMAGES * PATCHES; patch++) {
    let least = Infinity;
    for (let row = 0; row < bank.length / DIM; row++) {
      least = Math.min(least, squaredDistance(DATA, patch, bank, row, DIM));
    }
    largest = Math.max(largest, least);
  }
  return Math.sqrt(largest);
}

function assertOrigins(data: Float32Array, origin: Int32Array): void {
  for (let row = 0; row < origin.length / 3; row++) {
    const [image, line, column] = origin.subarray(3 * row);
    const patch = (image! * GRID.height + line!) * GRID.width + column!;
    assertEquals(
      data.subarray(row * DIM, (row + 1) * DIM),
      DATA.subarray(patch * DIM, (patch + 1) * DIM),
    );
  }
}

for (
  const [name, kept] of [
    ["as many more for every bucket", (images: number) => 20 + images],
    ["no more than before, so that some are dropped", () => 40],
  ] as const
) {
  gpuTest(
    `BankBuilder keeps origins and bounds the radius: ${name}`,
    async (gpu) => {
      for (const device of [gpu, narrow(gpu, 70 * DIM * 4)]) {
        const { data, origin, radius, reductions } = await build(
          device,
          chooser(device, "greedy"),
          { capacity: 150, kept, count: 30 },
        );
        assert(reductions > 4, `${reductions} reductions`);
        assertEquals(data.length, 30 * DIM);
        assertOrigins(data, origin);
        const measured = coveringRadius(data);
        assert(measured <= radius * 1.000001, `${measured} above ${radius}`);
        assert(measured > radius / 10, `${measured} far below ${radius}`);
      }
    },
  );
}

gpuTest("BankBuilder in one bucket picks as the coreset does", async (gpu) => {
  const { data, radius, reductions } = await build(
    gpu,
    chooser(gpu, "greedy"),
    { capacity: IMAGES * PATCHES, kept: () => 0, count: 30 },
  );
  assertEquals(reductions, 1);
  assertAllClose([radius], [coveringRadius(data)]);
});

gpuTest(
  "BankBuilder draws every patch equally often at random",
  async (gpu) => {
    const { data, origin, radius } = await build(gpu, chooser(gpu, "random"), {
      capacity: 150,
      kept: () => 100,
      count: 100,
    });
    assertOrigins(data, origin);
    assert(Number.isNaN(radius));
    const images = Array.from({ length: 100 }, (_, i) => origin[3 * i]!);
    const early = images.filter((image) => image < IMAGES / 2).length;
    assert(early > 30 && early < 70, `${early} of 100 from the first half`);
    assertEquals(new Set(origin.join().match(/\d+,\d+,\d+/g)).size, 100);
  },
);

gpuTest("BankBuilder takes chosen rows before images only", (gpu) => {
  const rows = RowChunks.allocate(gpu, 40, DIM, "rows");
  using builder = new BankBuilder(gpu, rows, {
    capacity: 40,
    dim: DIM,
    grid: GRID,
  });
  const known = {
    data: DATA.subarray(0, 2 * DIM),
    origin: new Int32Array([0, 0, 0, 0, 1, 1]),
    radius: 1,
  };
  builder.preload(known);
  assertEquals([builder.count, builder.kept, builder.room], [2, 2, 38]);
  builder.add(1);
  assertThrows(() => builder.preload(known), RangeError, "add them first");
});
