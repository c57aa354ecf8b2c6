/**
 * A thread that reads and decodes image files.
 *
 * @module
 */
import type { ReadImage } from "./image_reader.ts";
import { readPixels } from "./read_pixels.ts";
import { onMessage, owned, post } from "./worker_thread.ts";

let last = Promise.resolve();

// One after the other, so that the answers keep the order of the paths.
onMessage<string>((path) => {
  last = last.then(() => answer(path));
});

async function answer(path: string): Promise<void> {
  try {
    const { pixels, unused } = await readPixels(path);
    const data = owned(pixels.data);
    const reply: ReadImage = { pixels: { ...pixels, data }, unused };
    post(reply, [data.buffer]);
  } catch (cause) {
    const { name, message } = cause instanceof Error
      ? cause
      : new Error(String(cause));
    post({ name, message } satisfies ReadImage, []);
  }
}
