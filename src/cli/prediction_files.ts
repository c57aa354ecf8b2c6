import type { Prediction } from "../core/mod.ts";
import { join } from "../core/datasets/files.ts";
import type { FloatImage } from "../core/images/pixels.ts";
import { mapToOriginal } from "../core/images/map_geometry.ts";
import { encodeNpy } from "../core/images/npy.ts";
import {
  drawOverlay,
  type MapScale,
  mapScale,
  mapToGrey16,
  thresholdMask,
} from "../core/images/overlay.ts";
import { rangeOf } from "../core/score/min_max_scale.ts";
import { encodePng } from "../core/images/png.ts";
import { encodeTiff } from "../core/images/tiff.ts";
import type { OutputFolder } from "./output.ts";
import { resultNames } from "./result_names.ts";

/** Which files `predict` writes for an image. */
interface PredictionFileOptions {
  /** Format of the anomaly maps; none without it. */
  readonly maps: "npy" | "png" | "tiff" | undefined;
  /** Whether maps are drawn over the images. */
  readonly overlay: boolean;
  /** Whether masks are written, where there is a threshold. */
  readonly mask: boolean;
}

/** An anomaly map that was written. */
export interface WrittenMap {
  /** Where it is: the output folder's path, then the name inside. */
  readonly path: string;
}

/** Writes maps, overlays and masks, named after the images. */
export class PredictionFiles {
  readonly #folder: OutputFolder;
  readonly #names: ReadonlyMap<string, string>;
  readonly #options: PredictionFileOptions;

  /**
   * @param folder Where files go.
   * @param paths All images of the run, so that names stay apart.
   * @param options Which files are wanted.
   * @param prefix Folder below the kind of file that names lie in.
   */
  constructor(
    folder: OutputFolder,
    paths: readonly string[],
    options: PredictionFileOptions,
    prefix = "",
  ) {
    this.#folder = folder;
    const names = resultNames(paths);
    this.#names = new Map(
      paths.map((path, i) => [
        path,
        prefix === "" ? names[i]! : join(prefix, names[i]!),
      ]),
    );
    this.#options = options;
  }

  /** Names in the folder of what is wanted of an image. */
  namesOf(image: string): string[] {
    const { maps, overlay, mask } = this.#options;
    const name = this.#names.get(image);
    return [
      ...overlay ? [`overlays/${name}.png`] : [],
      ...mask ? [`masks/${name}.png`] : [],
      ...maps === undefined ? [] : [`maps/${name}.${maps}`],
    ];
  }

  /** Writes what is wanted of one image; returns its map's file. */
  async write(prediction: Prediction): Promise<WrittenMap | undefined> {
    const { maps, overlay, mask } = this.#options;
    if (maps === undefined && !overlay && !mask) return undefined;
    const { map, image, name } = prediction;
    const { threshold } = map;
    const original = mapToOriginal(map, map.geometry);
    const scale = mapScale(threshold, rangeOf(map.data).max);
    const contents: Uint8Array[] = [];
    if (overlay) {
      const drawn = drawOverlay(image, original, { ...scale, threshold });
      contents.push(await encodePng(drawn));
    }
    if (mask) {
      if (threshold === null) {
        throw new TypeError("Cannot write a mask: the model has no threshold");
      }
      contents.push(await encodePng(thresholdMask(original, threshold)));
    }
    if (maps !== undefined) {
      contents.push(await encodeMap(original, maps, scale));
    }
    let path = "";
    for (const [i, file] of this.namesOf(name).entries()) {
      path = await this.#folder.write(file, contents[i]!, name);
    }
    return maps === undefined ? undefined : { path };
  }
}

async function encodeMap(
  map: FloatImage,
  format: "npy" | "png" | "tiff",
  scale: MapScale,
): Promise<Uint8Array> {
  switch (format) {
    case "npy":
      return encodeNpy(map.data, [map.height, map.width]);
    case "png":
      return await encodePng(mapToGrey16(map, scale));
    case "tiff":
      return encodeTiff(map);
  }
}
