import type { LoadedImage } from "../../features/image_batches.ts";
import type { Tile } from "../../features/tile.ts";
import type { FloatImage } from "../../images/pixels.ts";
import type { CropGeometry } from "../../images/resize_plan.ts";
import { planExtents } from "../../images/resize_plan.ts";
import { planTiles } from "../../images/tiles.ts";
import { BlendedMap } from "../../score/blended_map.ts";
import { meanOfLargest, topCount } from "../../score/distance_scale.ts";
import type { Settings } from "../../settings/settings.ts";
import type { ScoredTile, StageTimes } from "./batch_predictor.ts";

/**
 * What is known of an image while its tiles come back from the GPU: its score is
 * that of its worst tile, or the mean of a share of the patches of all of them, the
 * largest; its map is made of the maps of all.
 */
export class SeenImage {
  /** The image. */
  readonly image: LoadedImage;
  readonly #size: readonly [number, number];
  readonly #settings: Settings;
  readonly #blend: BlendedMap | undefined;
  #map: FloatImage | undefined;
  #worst: ScoredTile | undefined;
  #most = -Infinity;
  readonly #patches: Float32Array[] = [];
  #times: StageTimes | undefined;
  #left: number;
  #milliseconds = 0;

  /**
   * @param tile A tile of the image.
   * @param size Of the network's input, `[height, width]`.
   * @param settings Whether and how images are cut.
   */
  constructor(
    { image, count }: Tile,
    size: readonly [number, number],
    settings: Settings,
  ) {
    const { width, height } = image.pixels;
    const { tiles } = settings;
    this.image = image;
    this.#size = size;
    this.#settings = settings;
    this.#left = count;
    this.#blend = tiles && new BlendedMap(planTiles(width, height, tiles));
  }

  /**
   * Adds what came back of a tile.
   *
   * @param milliseconds Its share of the batch's.
   * @returns Whether it was the last.
   */
  add(place: number, tile: ScoredTile, milliseconds: number): boolean {
    const [height, width] = this.#size;
    this.#blend?.add(place, tile.map);
    this.#map = this.#blend?.map ?? { width, height, data: tile.map };
    const score = tile.patches?.[tile.worstPatch] ?? tile.score;
    // A tile whose score is not finite makes that of the image so.
    if (!Number.isNaN(this.#most) && !(score <= this.#most)) {
      this.#worst = tile;
      this.#most = score;
    }
    if (tile.patches) this.#patches.push(tile.patches);
    this.#times = sumOf(this.#times, tile.times);
    this.#milliseconds += milliseconds;
    return --this.#left === 0;
  }

  /** The image's score. */
  get score(): number {
    if (this.#patches.length === 0) return this.worst.score;
    const all = this.#patches.reduce((sum, { length }) => sum + length, 0);
    const { topShare } = this.#settings;
    return meanOfLargest(this.#patches, topCount(all, topShare));
  }

  /** The tile with the worst patch. */
  get worst(): ScoredTile {
    return this.#worst!;
  }

  /** The map over what the network saw. */
  get map(): FloatImage {
    return this.#map!;
  }

  /** Where the map lies in the original image. */
  get geometry(): CropGeometry {
    const { width, height } = this.image.pixels;
    return planExtents(width, height, this.#settings).geometry;
  }

  /** GPU time, where the adapter tells it. */
  get times(): StageTimes | undefined {
    return this.#times;
  }

  /** Milliseconds on the clock, decoding left out. */
  get milliseconds(): number {
    return this.#milliseconds;
  }
}

function sumOf(
  a: StageTimes | undefined,
  b: StageTimes | undefined,
): StageTimes | undefined {
  return a === undefined || b === undefined ? a ?? b : {
    trunk: a.trunk + b.trunk,
    patches: a.patches + b.patches,
    search: a.search + b.search,
    map: a.map + b.map,
  };
}
