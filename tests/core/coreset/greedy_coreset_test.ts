import { assert, assertEquals, assertRejects } from "@std/assert";
import { greedyCoreset } from "../../../src/core/coreset/greedy_coreset.ts";
import type {
  Coreset,
  CoresetOptions,
} from "../../../src/core/coreset/options.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { floatData, type StoredTensor } from "../../../src/nn/stored_tensor.ts";
import { readSafetensors } from "../../../src/nn/safetensors.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import {
  distanceMatrixNorms,
  greedyReference,
  nearestPicks,
  type ReferenceStart,
} from "../../reference/coreset.ts";
import { narrow, uploadRows, withoutSubgroups } from "./some_rows.ts";

const CASES = [
  "wide_resnet.default",
  "wide_resnet.knn5_p5",
  "resnet_basic.stride2",
  "densenet.blocks",
];

async function pick(
  gpu: Gpu,
  data: Float32Array,
  dim: number,
  options: CoresetOptions,
): Promise<Coreset> {
  using rows = uploadRows(gpu, data, dim);
  return await greedyCoreset(gpu, rows, options);
}

/** Rows around a few centres, as features are. */
function clustered(seed: number, rows: number, dim: number): Float32Array {
  const centres = randomFloats(seed, 20 * dim);
  return randomFloats(seed + 1, rows * dim).map((noise, i) =>
    centres[(Math.floor(i / dim) * 7 % 20) * dim + i % dim]! + noise / 5
  );
}

/** Fails unless the picks are the reference's up to its first near tie. */
function assertSamePicks(
  actual: ArrayLike<number>,
  rows: Float32Array,
  dim: number,
  start: ReferenceStart,
): void {
  const { picks, leads } = greedyReference(rows, dim, actual.length, start);
  const tie = leads.findIndex((lead) => lead < 1e-5);
  const sure = tie < 0 ? picks.length : tie;
  assert(sure > picks.length / 2 || sure > 30, `near tie at pick ${sure}`);
  assertEquals(Array.from(actual).slice(0, sure), picks.slice(0, sure));
}

for (const method of ["plain", "lazy"] as const) {
  for (
    const [rows, dim, picks] of [[1, 4, 1], [64, 8, 64], [65, 12, 10], [
      700,
      32,
      90,
    ]]
  ) {
    gpuTest(
      `greedyCoreset() picks ${picks} of ${rows} rows ${method}ly as defined`,
      async (gpu) => {
        const data = clustered(rows, rows, dim);
        const points = [0, rows >> 1, rows - 1];
        for (const device of [gpu, withoutSubgroups(gpu)]) {
          const mean = await pick(device, data, dim, {
            picks,
            start: { kind: "mean", points },
            method,
          });
          assertSamePicks(mean.indices, data, dim, { mean: points });
          const one = await pick(device, data, dim, {
            picks,
            start: { kind: "included", point: rows >> 1 },
            method,
          });
          assertSamePicks(one.indices, data, dim, { included: rows >> 1 });
        }
      },
    );
  }

  gpuTest(
    `greedyCoreset() stops ${method}ly when all rows left are duplicates`,
    async (gpu) => {
      const data = new Float32Array(3000 * 4).map((_, i) =>
        Math.floor(i / 4) % 3
      );
      const start = { kind: "mean", points: [0] } as const;
      const { indices, radius } = await pick(gpu, data, 4, {
        picks: 50,
        start,
        method,
      });
      assertEquals([...indices], [0, 2, 1]);
      assertEquals(radius, 0);
      const same = new Float32Array(3000 * 4).fill(7);
      const one = await pick(gpu, same, 4, { picks: 50, start, method });
      assertEquals([...one.indices], [0]);
    },
  );

  for (const name of CASES) {
    gpuTest(
      `greedyCoreset() picks ${method}ly as the published sampler: ${name}`,
      async (gpu, _t, shared) => {
        const { tensors } = readSafetensors(
          await Deno.readFile(
            shared("golden/patchcore", `${name}.safetensors`),
          ),
        );
        const projected = floatData(tensors.get("projected")!);
        const dim = tensors.get("projected")!.shape[1]!;
        const golden = integers(tensors.get("coreset_indices")!);
        const points = integers(tensors.get("start_points")!);
        const { indices } = await pick(gpu, projected, dim, {
          picks: golden.length,
          start: { kind: "mean", points },
          method,
        });
        const { leads } = greedyReference(projected, dim, golden.length, {
          mean: points,
        });
        assertSameUntilTie([...indices], golden, leads);
      },
      { shared: true },
    );
  }
}

for (const name of CASES) {
  gpuTest(
    `greedyReference() picks as the published exact sampler: ${name}`,
    async (_gpu, _t, shared) => {
      const { tensors } = readSafetensors(
        await Deno.readFile(shared("golden/patchcore", `${name}.safetensors`)),
      );
      const golden = integers(tensors.get("exact_coreset_indices")!);
      const rows = floatData(tensors.get("projected")!);
      const dim = tensors.get("projected")!.shape[1]!;
      const anchors = distanceMatrixNorms(rows, dim);
      const { picks, leads } = greedyReference(rows, dim, golden.length, {
        anchors,
      });
      assertSameUntilTie(picks, golden, leads);
    },
    { shared: true },
  );
}

/** The published sampler squares by expansion: its float32 decides near ties. */
function assertSameUntilTie(
  actual: number[],
  golden: number[],
  leads: number[],
): void {
  const different = actual.findIndex((pick, i) => pick !== golden[i]);
  if (different < 0) return;
  assert(
    leads[different]! < 1e-3,
    `pick ${different} is ${actual[different]}, expected ${
      golden[different]
    }; the runner-up is ${leads[different]} behind`,
  );
}

function integers({ data }: StoredTensor): number[] {
  return Array.from(data as BigInt64Array, Number);
}

gpuTest("greedyCoreset() picks the same lazily and plainly", async (gpu) => {
  const [rows, dim, picks] = [6000, 32, 600];
  const data = clustered(5, rows, dim);
  const folds = Uint32Array.from(
    { length: rows },
    (_, i) => Math.floor(i / 500),
  );
  const start = { kind: "mean", points: [5, 17, 4000] } as const;
  for (const device of [gpu, withoutSubgroups(gpu)]) {
    const plain = await pick(device, data, dim, {
      picks,
      start,
      folds,
      method: "plain",
    });
    for (const candidates of [0.01, 0.1, 1]) {
      const lazy = await pick(device, data, dim, {
        picks,
        start,
        folds,
        candidates,
      });
      assertEquals(lazy.indices, plain.indices);
      assertEquals(lazy.radius, plain.radius);
      assertEquals(lazy.nearest, plain.nearest);
      assert(lazy.passes < 60, `${lazy.passes} passes`);
    }
  }
});

gpuTest("greedyCoreset() goes on from rows that are picked", async (gpu) => {
  const [rows, dim, picks, kept] = [900, 16, 120, 50];
  const data = clustered(13, rows, dim);
  const folds = Uint32Array.from({ length: rows }, (_, row) => row);
  const start = { kind: "kept", rows: kept } as const;
  for (const device of [gpu, withoutSubgroups(gpu)]) {
    const plain = await pick(device, data, dim, {
      picks,
      start,
      folds,
      method: "plain",
    });
    const lazy = await pick(device, data, dim, { picks, start, folds });
    assertEquals([lazy.indices, lazy.radius, lazy.nearest], [
      plain.indices,
      plain.radius,
      plain.nearest,
    ]);
    const short = await pick(device, data, dim, { picks, start });
    assertEquals(short.indices, lazy.indices);
    assertSamePicks(lazy.indices, data, dim, { kept });
    const { anchors } = greedyReference(data, dim, picks, { kept });
    assertAllClose([lazy.radius], [Math.max(...anchors)], { rtol: 1e-5 });
  }
});

gpuTest(
  "greedyCoreset() picks the same from one chunk and from many",
  async (gpu) => {
    const [rows, dim, picks] = [2500, 16, 200];
    const data = clustered(9, rows, dim);
    const start = { kind: "included", point: 1234 } as const;
    const folds = Uint32Array.from({ length: rows }, (_, i) => i % 9);
    const whole = await pick(gpu, data, dim, { picks, start, folds });
    const parts = await pick(narrow(gpu, 300 * dim * 4), data, dim, {
      picks,
      start,
      folds,
    });
    assertEquals(parts, whole);
  },
);

for (
  const [rows, dim, picks] of [[1, 4, 1], [64, 8, 9], [65, 12, 40], [
    400,
    8,
    60,
  ]]
) {
  gpuTest(
    `greedyCoreset() tells the nearest ${picks} picks of two folds to each of ${rows} rows`,
    async (gpu) => {
      const data = clustered(3, rows!, dim!);
      const folds = Uint32Array.from({ length: rows! }, (_, i) => i % 6);
      const start = { kind: "mean", points: [0, rows! - 1] } as const;
      for (const device of [gpu, withoutSubgroups(gpu)]) {
        for (const method of ["plain", "lazy"] as const) {
          const options = { picks: picks!, start, method, folds };
          const { indices, nearest } = await pick(device, data, dim!, options);
          const expected = nearestPicks(data, dim!, [...indices], folds);
          assertEquals(Array.from(nearest!.picks), expected.picks);
          assertEquals(
            Array.from(nearest!.others, (place) => place | 0),
            expected.others,
          );
          assertAllClose(nearest!.distances, expected.distances);
          assertAllClose(nearest!.otherDistances, expected.otherDistances);
        }
      }
      const alone = await pick(gpu, data, dim!, {
        picks: picks!,
        start,
        folds: folds.fill(0),
      });
      assert(alone.nearest!.others.every((place) => place === 0xffffffff));
    },
  );
}

gpuTest(
  "greedyCoreset() picks the same whether folds are followed or not",
  async (gpu) => {
    const [rows, dim] = [3000, 16];
    const data = clustered(21, rows, dim);
    const options = {
      picks: 200,
      start: { kind: "included", point: 5 },
    } as const;
    const plain = await pick(gpu, data, dim, options);
    for (const share of [1, 100, rows]) {
      const folds = Uint32Array.from(
        { length: rows },
        (_, i) => Math.floor(i / share),
      );
      const { indices, radius } = await pick(gpu, data, dim, {
        ...options,
        folds,
      });
      assertEquals({ indices, radius }, {
        indices: plain.indices,
        radius: plain.radius,
      });
    }
  },
);

gpuTest(
  "greedyCoreset() goes on from distances until no row is far",
  async (gpu) => {
    const [rows, dim] = [700, 8];
    const data = clustered(17, rows, dim);
    const distances = randomFloats(4, rows).map((x) => 1.5 + x);
    const { picks, anchors } = greedyReference(data, dim, 60, {
      anchors: distances,
    });
    const enough = Math.fround(Math.max(...anchors) * 1.0001);
    for (const method of ["plain", "lazy"] as const) {
      const start = { kind: "covered", distances } as const;
      const found = await pick(gpu, data, dim, {
        picks: rows,
        start,
        enough,
        method,
      });
      assertEquals([...found.indices], picks);
      assert(found.radius <= enough);
      const none = await pick(gpu, data, dim, {
        picks: rows,
        start,
        enough: 3,
        method,
      });
      assertEquals(none.indices.length, 0);
    }
  },
);

gpuTest("greedyCoreset() reports its progress", async (gpu) => {
  const seen: number[] = [];
  await pick(gpu, clustered(1, 1000, 8), 8, {
    picks: 400,
    start: { kind: "included", point: 0 },
    onProgress: (done, total) => {
      assertEquals(total, 400);
      seen.push(done);
    },
  });
  assertEquals(seen.at(-1), 400);
  assertEquals(seen, seen.toSorted((a, b) => a - b));
});

gpuTest("greedyCoreset() says what it cannot pick", async (gpu) => {
  using rows = uploadRows(gpu, randomFloats(1, 40), 4);
  const start = { kind: "mean", points: [0] } as const;
  for (
    const [options, message] of [
      [{ picks: 11, start }, "from 10 rows"],
      [{ picks: 0, start }, "from 1 to 10"],
      [{ picks: 1, start: { kind: "mean", points: [3, 10] } }, "at row 10"],
      [{ picks: 1, start: { kind: "mean", points: [] } }, "Cannot start"],
      [{ picks: 1, start, folds: [1] }, "folds has 1"],
      [
        {
          picks: 1,
          start: { kind: "covered", distances: new Float32Array(3) },
        },
        "10 rows have 3 distances",
      ],
      [{ picks: 3, start: { kind: "kept", rows: 3 } }, "from 1 to 2"],
    ] as const
  ) {
    await assertRejects(
      () => greedyCoreset(gpu, rows, options),
      RangeError,
      message,
    );
  }
  using many = uploadRows(gpu, randomFloats(1, 400), 4);
  await assertRejects(
    () =>
      greedyCoreset(narrow(gpu, 1024), many, {
        picks: 1,
        start,
        method: "plain",
      }),
    RangeError,
    'use the method "lazy"',
  );
});
