import type { Box, Prediction } from "../detector/prediction.ts";
import type { FloatImage } from "../images/float_image.ts";
import { mapToOriginal } from "../images/map_geometry.ts";
import { colorMap, drawOverlay, type MapScale } from "../images/overlay.ts";
import type { Pixels } from "../images/pixels.ts";
import { type Html, html } from "./html.ts";
import { dataAddress, fittedSize, pngAddress, sampleBox } from "./thumbnail.ts";

/** Reads a training image by the name that the model knows it by. */
export type ReadTraining = (name: string) => Promise<Pixels | undefined>;

/** What all pictures of a report share. */
export interface PictureOptions {
  /** The model's colour scale. */
  readonly scale: MapScale;
  /** Gives training images; without it there are no nearest patches. */
  readonly readTraining?: ReadTraining | undefined;
}

/** Sides of the neighbourhood that is shown of a patch, in patches. */
const CONTEXT = 6;

/** A part of an image around a patch, and where the patch is in it. */
interface CloseUp {
  readonly pixels: Pixels;
  /** The patch in the part, as shares of its sides. */
  readonly frame: Box;
}

/** What is kept of an image until it is drawn: small copies only. */
export class Pictures {
  readonly #image: Pixels;
  readonly #map: FloatImage;
  readonly #patch: CloseUp;
  readonly #nearest: { readonly image: string; readonly box: Box };
  readonly #threshold: number;
  readonly #side: number;

  /**
   * @param prediction What is known of the image.
   * @param side Most pixels of a picture's sides.
   */
  constructor(prediction: Prediction, side: number) {
    const { image, map, worstPatch } = prediction;
    const size = fittedSize(image, side);
    const { geometry } = map;
    const across = size.width / image.width;
    const down = size.height / image.height;
    this.#image = sampleBox(image, wholeOf(image), size.width, size.height);
    this.#map = mapToOriginal(map, {
      ...size,
      left: geometry.left * across,
      right: geometry.right * across,
      top: geometry.top * down,
      bottom: geometry.bottom * down,
    });
    this.#patch = closeUp(image, worstPatch, side);
    this.#nearest = worstPatch.nearest;
    this.#threshold = map.threshold;
    this.#side = side;
  }

  /** Original, overlay, map, worst patch and nearest training patch. */
  async draw({ scale, readTraining }: PictureOptions): Promise<Html> {
    const threshold = Number.isNaN(this.#threshold)
      ? Infinity
      : this.#threshold;
    const overlay = Number.isFinite(threshold)
      ? drawOverlay(this.#image, this.#map, { ...scale, threshold })
      : drawOverlay(this.#image, this.#map, { ...scale, threshold: scale.max });
    const { image: name, box } = this.#nearest;
    const training = await readTraining?.(name);
    const { width, height } = this.#image;
    return html`<div class="pictures">${[
      figure(await dataAddress(this.#image), width, height, "Original"),
      figure(await dataAddress(overlay), width, height, "Overlay"),
      figure(
        await pngAddress(colorMap(this.#map, scale)),
        width,
        height,
        "Anomaly map",
      ),
      await closeUpFigure(this.#patch, "Worst patch"),
      training === undefined
        ? html`
          <figure>
            <figcaption>Nearest training patch: in ${name} at ${Math.round(
              box.x,
            )}, ${Math.round(
              box.y,
            )} (the image cannot be read here)</figcaption>
          </figure>
        `
        : await closeUpFigure(
          closeUp(training, box, this.#side),
          `Nearest training patch: ${name}`,
        ),
    ]}</div>`;
  }
}

function wholeOf({ width, height }: Pixels): Box {
  return { x: 0, y: 0, width, height };
}

/** The surroundings of a patch, moved so that they lie in the image. */
function closeUp(image: Pixels, patch: Box, side: number): CloseUp {
  const most = Math.min(image.width, image.height);
  const length = Math.min(CONTEXT * Math.max(patch.width, patch.height), most);
  const place = (start: number, size: number, limit: number): number =>
    Math.min(Math.max(start + size / 2 - length / 2, 0), limit - length);
  const x = place(patch.x, patch.width, image.width);
  const y = place(patch.y, patch.height, image.height);
  const pixels = Math.max(1, Math.min(side, Math.round(length)));
  return {
    pixels: sampleBox(
      image,
      { x, y, width: length, height: length },
      pixels,
      pixels,
    ),
    frame: {
      x: (patch.x - x) / length,
      y: (patch.y - y) / length,
      width: patch.width / length,
      height: patch.height / length,
    },
  };
}

async function closeUpFigure(
  { pixels, frame }: CloseUp,
  caption: string,
): Promise<Html> {
  const { width, height } = pixels;
  const address = await dataAddress(pixels);
  const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
  const style = `left:${percent(frame.x)};top:${percent(frame.y)};width:${
    percent(frame.width)
  };height:${percent(frame.height)}`;
  return figure(
    address,
    width,
    height,
    caption,
    html`<i style="${style}"></i>`,
  );
}

function figure(
  address: string,
  width: number,
  height: number,
  caption: string,
  frame?: Html,
): Html {
  return html`
    <figure>
      <div
        class="framed"><img src="${address}" width="${width}" height="${height}" alt="${caption}">${frame}</div>
      <figcaption>${caption}</figcaption>
    </figure>
  `;
}
