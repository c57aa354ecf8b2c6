import type { LoadedImage } from "../../features/image_batches.ts";
import type { View } from "../../features/view.ts";
import type { FloatImage } from "../../images/pixels.ts";
import type { CropGeometry } from "../../images/resize_plan.ts";
import { planExtents } from "../../images/resize_plan.ts";
import { planTiles } from "../../images/tiles.ts";
import { BlendedMap } from "../../score/blended_map.ts";
import type { Settings } from "../../settings/settings.ts";
import type { ScoredView, StageTimes } from "./batch_predictor.ts";

/**
 * What is known of an image while its views come back from the GPU: its score is
 * that of its worst view, its map is made of the maps of all.
 */
export class SeenImage {
  /** The image. */
  readonly image: LoadedImage;
  readonly #size: readonly [number, number];
  readonly #settings: Settings;
  readonly #blend: BlendedMap | undefined;
  #map: FloatImage | undefined;
  #worst: ScoredView | undefined;
  #times: StageTimes | undefined;
  #left: number;
  #milliseconds = 0;

  /**
   * @param view A view of the image.
   * @param size Of the network's input, `[height, width]`.
   * @param settings Whether and how images are cut.
   */
  constructor(
    { image, count }: View,
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
   * Adds what came back of a view.
   *
   * @param milliseconds Its share of the batch's.
   * @returns Whether it was the last.
   */
  add(place: number, view: ScoredView, milliseconds: number): boolean {
    const [height, width] = this.#size;
    this.#blend?.add(place, view.map);
    this.#map = this.#blend?.map ?? { width, height, data: view.map };
    const { score: most } = this.#worst ?? { score: -Infinity };
    // A view whose score is not finite makes that of the image so.
    if (!Number.isNaN(most) && !(view.score <= most)) this.#worst = view;
    this.#times = sumOf(this.#times, view.times);
    this.#milliseconds += milliseconds;
    return --this.#left === 0;
  }

  /** The view that the image's score comes from. */
  get worst(): ScoredView {
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
