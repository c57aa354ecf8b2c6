import type {
  Box,
  NearestPatch,
  Prediction,
} from "../detector/predict/prediction.ts";
import {
  colorMap,
  drawBoxes,
  drawOverlay,
  type MapScale,
} from "../images/overlay.ts";
import type { Pixels } from "../images/pixels.ts";
import { type Html, html } from "./html.ts";
import {
  type CloseUp,
  closeUp,
  scaledBox,
  type SmallCopy,
  smallCopy,
} from "./small_copy.ts";
import { dataAddress, pngAddress } from "./thumbnail.ts";

/** Reads a training image by the name that the model knows it by. */
export type ReadTraining = (name: string) => Promise<Pixels | undefined>;

/** What pictures show beside the image. */
interface PictureOptions {
  /** What is framed, in pixels of the image. */
  readonly regions: readonly Box[];
  /** The model's colour scale. */
  readonly scale: MapScale;
  /** Gives training images; without it there are no nearest patches. */
  readonly readTraining?: ReadTraining | undefined;
}

/** What is kept of an image until it is drawn: small copies only. */
export class Pictures {
  readonly #copy: SmallCopy;
  readonly #nearest: NearestPatch;
  readonly #threshold: number | null;
  readonly #side: number;
  readonly #size: Pick<Pixels, "width" | "height">;

  /** @param side Most pixels of a picture's sides. */
  constructor(prediction: Prediction, side: number) {
    this.#copy = smallCopy(prediction, side);
    this.#nearest = prediction.worstPatch.nearest;
    this.#threshold = prediction.map.threshold;
    this.#side = side;
    const { width, height } = prediction.image;
    this.#size = { width, height };
  }

  /** Original, overlay, map, worst patch and nearest training patch. */
  async draw(
    { regions, scale, readTraining }: PictureOptions,
  ): Promise<Html> {
    const { image, map, patch } = this.#copy;
    const overlay = drawBoxes(
      drawOverlay(image, map, { ...scale, threshold: this.#threshold }),
      regions.map((box) => scaledBox(box, this.#size, image)),
    );
    const { image: name, box } = this.#nearest;
    const training = await readTraining?.(name);
    const { width, height } = image;
    return html`<div class="pictures">${[
      figure(await dataAddress(image), width, height, "Original"),
      figure(await dataAddress(overlay), width, height, "Overlay"),
      figure(
        await pngAddress(colorMap(map, scale)),
        width,
        height,
        "Anomaly map",
      ),
      await closeUpFigure(patch, "Worst patch"),
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
