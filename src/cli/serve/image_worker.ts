/**
 * A thread that decodes images and encodes maps.
 *
 * @module
 */
import { decodeImage } from "../../core/mod.ts";
import { mapToOriginal } from "../../core/images/map_geometry.ts";
import {
  drawOverlay,
  mapScale,
  mapToGrey16,
} from "../../core/images/overlay.ts";
import { encodePng } from "../../core/images/png.ts";
import type { ImageReply, ImageTask } from "./image_tasks.ts";
import { onMessage, post } from "./worker_thread.ts";

onMessage<ImageTask>(async (task) => {
  try {
    const { reply, buffer } = await run(task);
    post(reply, [buffer]);
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    post({ error: error.message, name: error.name } satisfies ImageReply, []);
  }
});

async function run(
  task: ImageTask,
): Promise<{ reply: ImageReply; buffer: ArrayBuffer }> {
  if (task.kind === "decode") {
    const { bytes, name, maxPixels } = task;
    const pixels = await decodeImage(bytes, name, { maxPixels });
    const data = owned(pixels.data);
    return { reply: { pixels: { ...pixels, data } }, buffer: data.buffer };
  }
  const { map, image } = task;
  const { threshold } = map;
  const original = mapToOriginal(map, map.geometry);
  const scale = mapScale(threshold);
  const png = await encodePng(
    image === undefined
      ? mapToGrey16(original, scale)
      : drawOverlay(image, original, { ...scale, threshold }),
  );
  return { reply: { png }, buffer: png.buffer };
}

/** The bytes in a buffer of their own, which can go to another thread. */
function owned(
  data: Uint8Array | Uint8ClampedArray,
): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data;
  const whole = buffer instanceof ArrayBuffer &&
    buffer.byteLength === byteLength;
  return whole
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : Uint8Array.from(data);
}
