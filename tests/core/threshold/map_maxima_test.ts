import { assert } from "@std/assert";
import { BankSearch } from "../../../src/core/search/search.ts";
import {
  PatchSearches,
  upperBounds,
} from "../../../src/core/threshold/worst_patches.ts";
import { nearestPickOfOthers } from "./nearest_other.ts";
import {
  type MapMaxima,
  mapMaxima,
} from "../../../src/core/threshold/map_maxima.ts";
import { PRESETS } from "../../../src/core/settings/presets.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { anomalyMap } from "../../reference/anomaly_map.ts";
import { nearestNeighbours } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

const IMAGES = 12;
const GRID = [5, 6] as const;
const SMALL = [20, 31] as const;
/** Of which 12 are not made at once. */
const LARGE = [200, 260] as const;
const PATCHES = GRID[0] * GRID[1];
const DIM = 8;
const MAP = { ...PRESETS.paper.map, sigma: 1.5 };
const PICKS = Array.from({ length: 72 }, (_, i) => i * 5);

interface Case {
  readonly squared?: boolean;
  readonly neighbours?: number;
  readonly nearby?: boolean;
  readonly size?: readonly [number, number];
}

const imageOf = (row: number): number => Math.floor(row / PATCHES);
const ROW_IMAGES = Array.from(
  { length: IMAGES * PATCHES },
  (_, i) => imageOf(i),
);

const COMMON = randomFloats(1, PATCHES * DIM);

/** Features of images that resemble each other, some less than others. */
const FEATURES = randomFloats(2, IMAGES * PATCHES * DIM).map((noise, i) => {
  const image = Math.floor(i / COMMON.length);
  return COMMON[i % COMMON.length]! +
    noise * (0.1 + (image * 5 % IMAGES) / IMAGES);
});
const BANK = Float32Array.from(
  PICKS.flatMap((row) => [...FEATURES.subarray(row * DIM, (row + 1) * DIM)]),
);

async function ofKernels(
  gpu: Gpu,
  { nearby = true, size = SMALL, ...options }: Case,
): Promise<MapMaxima> {
  using features = uploadRows(gpu, FEATURES, DIM);
  using bank = uploadRows(gpu, BANK, DIM);
  using search = await BankSearch.create(gpu, bank, {
    images: PICKS.map(imageOf),
  });
  const near = nearby &&
    await nearestPickOfOthers(
      gpu,
      features,
      Uint32Array.from(PICKS),
      ROW_IMAGES,
    );
  const inputs = {
    features,
    patches: PATCHES,
    bank,
    search,
    folds: Uint32Array.from({ length: IMAGES }, (_, i) => i),
    ...options,
  };
  const bounds = near && await upperBounds(gpu, inputs, near);
  using searches = await PatchSearches.create(gpu, inputs);
  return await mapMaxima(gpu, {
    ...{ ...inputs, searches },
    places: Array.from({ length: IMAGES }, (_, i) => i),
    known: {
      scores: Float32Array.from(
        bounds || new Float32Array(features.rows).fill(Infinity),
      ),
      isExact: new Uint8Array(features.rows),
    },
    grid: GRID,
    size,
    map: MAP,
  });
}

/** Every image's map without the image's own rows, from the definition. */
function byDefinition(
  { squared = false, neighbours = 1, size = SMALL }: Case,
): number[] {
  const { squaredDistances } = nearestNeighbours(
    FEATURES,
    BANK,
    DIM,
    neighbours,
    { queries: ROW_IMAGES, bank: PICKS.map(imageOf) },
  );
  const scores = Array.from({ length: IMAGES * PATCHES }, (_, row) => {
    const own = [...squaredDistances.subarray(
      row * neighbours,
      (row + 1) * neighbours,
    )].map((d) => squared ? d : Math.sqrt(d));
    return own.reduce((a, b) => a + b) / neighbours;
  });
  return Array.from(
    { length: IMAGES },
    (_, image) =>
      Math.max(...anomalyMap(
        scores.slice(image * PATCHES, (image + 1) * PATCHES),
        GRID,
        size,
        MAP,
      )),
  );
}

for (
  const [name, c] of Object.entries<Case>({
    "small maps": {},
    "small maps without bounds": { nearby: false },
    "maps of many pixels": { size: LARGE },
    "squared distances": { squared: true },
    "three neighbours": { neighbours: 3 },
  })
) {
  gpuTest(
    `mapMaxima() are those of the definition for ${name}`,
    async (gpu) => {
      for (const device of [gpu, narrow(gpu, 4 * 2 ** 14)]) {
        const { maxima, searched } = await ofKernels(device, c);
        assertAllClose(maxima, byDefinition(c));
        const { nearby = true, neighbours = 1 } = c;
        if (nearby && neighbours === 1) {
          const all = IMAGES * PATCHES;
          assert(searched < all * 0.9, `${searched} of ${all} searched`);
        }
      }
    },
  );
}
