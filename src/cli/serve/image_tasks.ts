import type { AnomalyMap, Pixels } from "../../core/mod.ts";

/** What a thread for images is asked. */
export type ImageTask =
  | {
    /** Decode a file. */
    readonly kind: "decode";
    /** The file. */
    readonly bytes: Uint8Array<ArrayBuffer>;
    /** Its name, for messages. */
    readonly name: string;
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
  | { readonly error: string; readonly name: string };
