import {
  decodeImage,
  type Label,
  type NamedImage,
  type Pixels,
} from "../core/mod.ts";
import { Region } from "../core/images/region.ts";
import type {
  RegionSetting,
  SampleRange,
  Settings,
} from "../core/settings/settings.ts";
import type { FloatImage } from "../core/images/pixels.ts";
import { encodePng } from "../core/images/png.ts";
import { closeUp } from "../core/report/small_copy.ts";
import { resampled, thumbnail } from "../core/report/thumbnail.ts";
import {
  type Inspection,
  type Inspector,
  SHOWN_SIDE,
  type ShownRegion,
} from "./inspector.ts";

/** What is used of the answer to `POST /predict?map=png`. */
interface Answer {
  readonly pred_score: number;
  readonly pred_label: Label | null;
  readonly threshold: number | null;
  readonly uncertain_from: number | null;
  readonly worst_patch: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly nearest: {
      readonly image_path: string;
      readonly x: number;
      readonly y: number;
    };
  };
  readonly map: {
    readonly threshold: number | null;
    readonly scale: { readonly min: number; readonly max: number };
    readonly png: string;
    readonly width: number;
    readonly height: number;
    readonly min_area: number | null;
  };
  readonly regions: readonly ShownRegion[];
  readonly seen: MapBox;
  readonly ms: { readonly total: number };
}

/** A box of an image in its pixels. */
interface MapBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A model of the server. */
export interface ServerModel {
  /** What the server calls it. */
  readonly name: string;
  /** Which samples of deep images are black and white for it. */
  readonly range: SampleRange | undefined;
  /** What it inspects of images; nothing where that is all. */
  readonly region: RegionSetting | undefined;
}

/** What the server knows. */
interface ServerModels {
  /** Its models; none where this page comes from no service. */
  readonly models: readonly ServerModel[];
  /** Whether it asks for a token. */
  readonly needsToken: boolean;
}

/**
 * Asks the server that this page came from for its models. A service marks the
 * page with `data-service`; elsewhere nobody is asked.
 */
export async function serverModels(token: string): Promise<ServerModels> {
  const nothing = { models: [], needsToken: false };
  if (document.documentElement.dataset["service"] === undefined) return nothing;
  const response = await fetch("models", { headers: headersOf(token) });
  if (response.status === 401) return { models: [], needsToken: true };
  if (!response.ok) return nothing;
  const { models } = await response.json() as {
    models: { name: string; settings: Pick<Settings, "range" | "region"> }[];
  };
  return {
    models: models.map(({ name, settings: { range, region } }) => ({
      name,
      range,
      region,
    })),
    needsToken: false,
  };
}

/** Inspects with a model of the server that this page came from. */
export class ServerInspector implements Inspector {
  readonly #model: ServerModel;
  readonly #token: string;
  readonly #region: Region | undefined;

  /** Uses one of the server's models. */
  constructor(model: ServerModel, token: string) {
    this.#model = model;
    this.#token = token;
    this.#region = model.region && new Region(model.region);
  }

  /** @inheritdoc */
  get about(): string {
    return `the server's model "${this.#model.name}"`;
  }

  /** @inheritdoc */
  async *inspect(
    images: readonly NamedImage[],
    onError: (error: unknown) => void,
  ): AsyncGenerator<Inspection> {
    for (const image of images) {
      try {
        yield await this.#inspect(image);
      } catch (error) {
        onError(error);
      }
    }
  }

  async #inspect({ name, content }: NamedImage): Promise<Inspection> {
    const source = typeof content === "function" ? await content() : content;
    const isFile = source instanceof Uint8Array;
    const bytes = isFile ? source : await encodePng(source);
    const { name: model, range } = this.#model;
    const query = new URLSearchParams({ map: "png", model, name });
    const response = await fetch(`predict?${query}`, {
      method: "POST",
      headers: {
        "content-type": "application/octet-stream",
        ...headersOf(this.#token),
      },
      body: bytes as Uint8Array<ArrayBuffer>,
    });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      throw new Error(error ?? `The server answered ${response.status}`);
    }
    const answer = await response.json() as Answer;
    const pixels = isFile ? await decodeImage(bytes, name, { range }) : source;
    const { worst_patch: worst, map } = answer;
    const image = thumbnail(pixels, SHOWN_SIDE);
    return {
      name,
      image,
      map: leaveOut(
        await readMap(map.png, image, map.scale.max),
        { size: map, seen: answer.seen, region: this.#region },
      ),
      score: answer.pred_score,
      threshold: answer.threshold,
      uncertainFrom: answer.uncertain_from,
      mapThreshold: map.threshold,
      label: answer.pred_label,
      size: { width: map.width, height: map.height },
      regions: answer.regions,
      minArea: map.min_area,
      patch: closeUp(pixels, worst, SHOWN_SIDE),
      nearest: { ...worst.nearest, name: worst.nearest.image_path },
      ms: answer.ms.total,
    };
  }
}

/** A grey map, from 0 to `max`, in the size that is shown. */
async function readMap(
  png: string,
  { width, height }: Pick<Pixels, "width" | "height">,
  max: number,
): Promise<FloatImage> {
  const grey = await decodeImage(Uint8Array.fromBase64(png), "map");
  const levels = resampled(grey, { width, height }).data;
  const data = Float32Array.from(
    { length: width * height },
    (_, i) => levels[4 * i]! / 255 * max,
  );
  return { width, height, data };
}

/** A map with NaN where nothing was looked at, as maps of this device have it. */
function leaveOut(
  { width, height, data }: FloatImage,
  { size, seen, region }: {
    readonly size: Pick<Pixels, "width" | "height">;
    readonly seen: MapBox;
    readonly region: Region | undefined;
  },
): FloatImage {
  const inside = region?.bitmap(width, height);
  const across = size.width / width;
  const down = size.height / height;
  const left = data.map((value, i) => {
    const x = (i % width + 0.5) * across - seen.x;
    const y = (Math.floor(i / width) + 0.5) * down - seen.y;
    const isSeen = x >= 0 && y >= 0 && x < seen.width && y < seen.height;
    return isSeen && inside?.[i] !== 0 ? value : NaN;
  });
  return { width, height, data: left };
}

function headersOf(token: string): Record<string, string> {
  return token === "" ? {} : { authorization: `Bearer ${token}` };
}
