import type { AnomalyMap, Pixels } from "../../core/mod.ts";
import type { ModelInfo } from "./model_info.ts";
import type { ProblemStatus } from "./problem.ts";
import type { UploadedImage } from "./request_images.ts";

/** What a thread for images is asked. */
export type ImageTask =
  | {
    /** Check and decode a file. */
    readonly kind: "decode";
    /** The file; its bytes are handed over. */
    readonly image: UploadedImage;
    /** The model that it has to go with. */
    readonly model: ModelInfo;
    /** The most pixels it may have. */
    readonly maxPixels: number;
  }
  | {
    /** Encode a map as PNG, in the geometry of the original image. */
    readonly kind: "map";
    /** The map; its threshold gives the scale. */
    readonly map: AnomalyMap;
    /** The image to draw it over; without it the map is 16-bit grey. */
    readonly image: Pixels | undefined;
  };

/** What a thread for images answers. */
export type ImageReply =
  | { readonly pixels: Pixels }
  | { readonly png: Uint8Array<ArrayBuffer> }
  | {
    readonly error: string;
    /** HTTP status where the image is to blame. */
    readonly status: ProblemStatus | undefined;
  };
