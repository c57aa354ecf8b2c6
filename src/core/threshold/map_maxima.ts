import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import type {
  KnownPatches,
  PatchSearches,
  WorstPatchInputs,
} from "./worst_patches.ts";
import type { BandTable } from "../features/band_table.ts";
import type { RegionGrid } from "../features/region_grid.ts";
import type { MapSettings } from "../settings/settings.ts";
import { imageMax } from "../../wgsl/image_max.ts";
import { gatherColumns } from "../../wgsl/gather_columns.ts";
import { AnomalyMaps } from "../score/anomaly_map.ts";
import { mapWeights } from "../score/map_weights.ts";

/** Pixels of the maps that are made at a time, if one is not more. */
const MAP_PIXELS = 2 ** 20;

/** Larger than any score, and small enough to be summed. */
const UNBOUNDED = 1e30;

/** What {@linkcode mapMaxima} works on. */
export interface MapMaximaInputs extends WorstPatchInputs {
  /** Places of the images that count: those with bank rows of another fold. */
  readonly places: readonly number[];
  /** What is known of the patches' scores; it is brought up to date. */
  readonly known: KnownPatches;
  /** Searches the patches. */
  readonly searches: PatchSearches;
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** Size of the maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /** How patch scores become maps. */
  readonly map: MapSettings;
  /** What of the maps counts; all by default. */
  readonly region?: RegionGrid | undefined;
}

/** What {@linkcode mapMaxima} finds. */
export interface MapMaxima {
  /** The largest pixel of each image that counts. */
  readonly maxima: Float32Array<ArrayBuffer>;
  /** Patches that were searched in the whole bank. */
  readonly searched: number;
}

/** A training image whose map is known but for some patches' upper bounds. */
interface BoundedMap {
  readonly image: number;
  /** The largest pixel. */
  readonly maximum: number;
  /** Where it is. */
  readonly pixel: number;
}

/**
 * The largest pixels of the maps of training images: each is scored against the
 * bank without the rows of its fold and becomes a map as a new image would.
 *
 * Exact, yet few patches are searched where bounds are given: upsampling and
 * smoothing keep the order of scores, so a map of upper bounds bounds the map.
 * Its largest pixel is the image's maximum if the patches that make it were
 * searched already, else they are searched now.
 */
export async function mapMaxima(
  gpu: Gpu,
  inputs: MapMaximaInputs,
): Promise<MapMaxima> {
  const { places, known: { scores, isExact }, searches, onProgress } = inputs;
  const maxima = new Float32Array(places.length);
  if (places.length === 0) return { maxima, searched: 0 };
  const order = new Map(places.map((place, i) => [place, i]));
  scores.forEach((bound, i) => scores[i] = Math.min(bound, UNBOUNDED));
  using maps = await HeldOutMaps.create(gpu, inputs);
  let open = [...places];
  let searched = 0;
  while (open.length > 0) {
    const work: number[] = [];
    const left: number[] = [];
    for (const top of await maps.largest(scores, open)) {
      const unknown = maps.patchesOf(top)
        .filter((patch) => isExact[patch] === 0);
      if (unknown.length === 0) maxima[order.get(top.image)!] = top.maximum;
      else left.push(top.image);
      for (const patch of unknown) work.push(patch);
    }
    open = left;
    const found = await searches.run(work);
    work.forEach((patch, i) => {
      scores[patch] = found.scores[i]!;
      isExact[patch] = 1;
    });
    searched += work.length;
    onProgress?.(places.length - open.length, places.length);
  }
  return { maxima, searched };
}

/**
 * GPU bytes of {@linkcode mapMaxima}, what its searches hold left out.
 *
 * @param images How many have a map.
 * @param grid Patches of an image, and pixels of its map.
 */
export function mapMaximaBytes(
  images: number,
  { patches, pixels }: { readonly patches: number; readonly pixels: number },
): number {
  const together = Math.min(mapsTogether(pixels), images);
  // The map, its pixels and what lies between the axes of their interpolation.
  return together * (patches + 3 * pixels + 3) * 4;
}

function mapsTogether(pixels: number): number {
  return Math.max(1, Math.floor(MAP_PIXELS / pixels));
}

/** Makes the maps of training images and knows what they are made of. */
class HeldOutMaps implements Disposable {
  readonly #gpu: Gpu;
  readonly #inputs: MapMaximaInputs;
  readonly #scores: Tensor;
  readonly #map: Tensor;
  readonly #pixels: Tensor;
  readonly #maxima: Tensor;
  readonly #places: Tensor;
  readonly #nearest: Tensor;
  readonly #inspected:
    | { readonly list: Tensor; readonly values: Tensor }
    | undefined;
  readonly #maps: AnomalyMaps;
  readonly #programs: ReadonlyMap<number, Program>;
  readonly #rows: BandTable;
  readonly #columns: BandTable;

  private constructor(gpu: Gpu, inputs: MapMaximaInputs) {
    const { patches, grid, size, map, places, region } = inputs;
    const pixels = region?.pixels.length ?? size[0] * size[1];
    const images = Math.min(mapsTogether(size[0] * size[1]), places.length);
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#rows = mapWeights(grid[0], size[0], map);
    this.#columns = mapWeights(grid[1], size[1], map);
    this.#scores = gpu.tensor([images, patches], "f32", "patch scores");
    this.#map = gpu.tensor([images, ...size], "f32", "anomaly maps");
    this.#pixels = gpu.tensor([images, pixels], "u32", "pixels of maps");
    this.#maxima = gpu.tensor([images], "f32", "largest pixels");
    this.#places = gpu.tensor([images], "u32", "places of largest pixels");
    this.#nearest = gpu.tensor([images], "u32", "unused");
    this.#inspected = region && {
      list: gpu.upload(region.pixels, undefined, "inspected pixels"),
      values: gpu.tensor([images, pixels], "f32", "inspected pixels of maps"),
    };
    const shape = {
      ...{ grid, size, maxImages: images },
      region: region && { patches, slots: region.slots },
    };
    this.#maps = new AnomalyMaps(gpu, shape, map);
    this.#programs = new Map(
      [images, images >> 2, 1].filter((count) => count > 0)
        .map((count) => [count, this.#record(count)]),
    );
  }

  #record(images: number): Program {
    const program = this.#gpu.program("anomaly maps of training images");
    const { size } = this.#inputs;
    this.#maps.record(program, this.#scores, this.#map, images);
    const pixels = this.#inputs.region?.pixels.length ?? size[0] * size[1];
    const values = this.#inspected?.values ?? this.#map;
    if (this.#inspected !== undefined) {
      program.dispatch(gatherColumns, {
        positions: 1,
        stride: size[0] * size[1],
        count: pixels,
        dim: pixels,
        slots: images,
        firstImage: 0,
        firstSlot: 0,
        images,
      }, { x: this.#map, columns: this.#inspected.list, y: values });
    }
    // A map's largest pixel is found as an image's worst patch is.
    return program.dispatch(imageMax, {
      images,
      patches: pixels,
      neighbours: 1,
      used: 1,
      squared: true,
    }, {
      distances: values,
      indices: values,
      patch_scores: this.#pixels,
      scores: this.#maxima,
      worst: this.#places,
      nearest: this.#nearest,
    }, "maps");
  }

  static async create(
    gpu: Gpu,
    inputs: MapMaximaInputs,
  ): Promise<HeldOutMaps> {
    const maps = new HeldOutMaps(gpu, inputs);
    for (const program of maps.#programs.values()) await program.compile();
    return maps;
  }

  /** The largest pixels of images' maps, the first of equals. */
  async largest(
    scores: Float32Array,
    images: readonly number[],
  ): Promise<BoundedMap[]> {
    const { patches, size, region } = this.#inputs;
    const perImage = region?.pixels.length ?? size[0] * size[1];
    const found: BoundedMap[] = [];
    for (let start = 0; start < images.length;) {
      const [count, program] = this.#programFor(images.length - start);
      const batch = images.slice(start, start + count);
      start += batch.length;
      const values = new Float32Array(batch.length * patches);
      batch.forEach((image, i) => {
        const first = image * patches;
        values.set(scores.subarray(first, first + patches), i * patches);
      });
      this.#gpu.write(this.#scores, values);
      program.run();
      const [maxima, places] = await this.#gpu.readAll([
        this.#maxima,
        this.#places,
      ]);
      batch.forEach((image, i) => {
        const place = places![i]! - i * perImage;
        const pixel = region?.pixels[place] ?? place;
        found.push({ image, maximum: maxima![i]!, pixel });
      });
    }
    return found;
  }

  /** Makes as many maps at a time as are not many more than are left. */
  #programFor(left: number): readonly [number, Program] {
    const sizes = [...this.#programs];
    return sizes.find(([count]) => count < 2 * left) ?? sizes.at(-1)!;
  }

  /** The patches that make a pixel; all of the image if it has no bounds. */
  patchesOf({ image, maximum, pixel }: BoundedMap): number[] {
    const { patches, grid, size, region } = this.#inputs;
    const first = image * patches;
    if (maximum > UNBOUNDED / 2) {
      return Array.from({ length: patches }, (_, i) => first + i);
    }
    const columns = pointsOf(this.#columns, pixel % size[1]);
    const rows = pointsOf(this.#rows, Math.floor(pixel / size[1]));
    const slots = rows.flatMap((row) =>
      columns.map((column) => {
        const place = row * grid[1] + column;
        return first + (region?.slots[place] ?? place);
      })
    );
    return [...new Set(slots)];
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs.values()) program.dispose();
    this.#maps[Symbol.dispose]();
    for (
      const tensor of [
        this.#scores,
        this.#map,
        this.#pixels,
        this.#maxima,
        this.#places,
        this.#nearest,
        this.#inspected?.list,
        this.#inspected?.values,
      ]
    ) tensor?.dispose();
  }
}

/** Points with a weight in an output of a band table. */
function pointsOf({ blocks, weights }: BandTable, output: number): number[] {
  const block = output >> 3;
  const [first, count, start] = blocks.subarray(block * 4, block * 4 + 3);
  return Array.from({ length: count }, (_, i) => first + i)
    .filter((_, i) => weights[start * 4 + i * 8 + output % 8] !== 0);
}
