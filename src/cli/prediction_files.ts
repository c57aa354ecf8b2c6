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
import { type OutputFolder, resultNames } from "./output.ts";

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

  /** Writes what is wanted of one image; returns its map's file. */
  async write(prediction: Prediction): Promise<WrittenMap | undefined> {
    const { maps, overlay, mask } = this.#options;
    if (maps === undefined && !overlay && !mask) return undefined;
    const name = this.#names.get(prediction.name)!;
    const { map, image } = prediction;
    const { threshold } = map;
    const original = mapToOriginal(map, map.geometry);
    const scale = mapScale(threshold, rangeOf(map.data).max);
    if (overlay) {
      const drawn = drawOverlay(image, original, { ...scale, threshold });
      await this.#png(`overlays/${name}.png`, drawn);
    }
    if (mask && threshold !== null) {
      await this.#png(`masks/${name}.png`, thresholdMask(original, threshold));
    }
    if (maps === undefined) return undefined;
    const bytes = await encodeMap(original, maps, scale);
    return { path: await this.#folder.write(`maps/${name}.${maps}`, bytes) };
  }

  async #png(
    name: string,
    image: Parameters<typeof encodePng>[0],
  ): Promise<void> {
    await this.#folder.write(name, await encodePng(image));
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
