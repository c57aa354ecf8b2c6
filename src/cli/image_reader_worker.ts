/**
 * A thread that reads and decodes image files.
 *
 * @module
 */
import type { ReadImage } from "./image_reader.ts";
import { type PixelsTask, readPixels } from "./read_pixels.ts";
import { onMessage, owned, post } from "./worker_thread.ts";

let last = Promise.resolve();

// One after the other, so that the answers keep the order of the paths.
onMessage<PixelsTask>((task) => {
  last = last.then(() => answer(task));
});

async function answer(task: PixelsTask): Promise<void> {
  try {
    const { pixels, ...facts } = await readPixels(task);
    const data = owned(pixels.data);
    const reply: ReadImage = { ...facts, pixels: { ...pixels, data } };
    post(reply, [data.buffer]);
  } catch (cause) {
    const { name, message } = cause instanceof Error
      ? cause
      : new Error(String(cause));
    post({ name, message } satisfies ReadImage, []);
  }
}
