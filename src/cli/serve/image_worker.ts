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
import { rangeOf } from "../../core/score/min_max_scale.ts";
import { encodePng } from "../../core/images/png.ts";
import { checkImage, checkSize, imageProblem } from "./check_image.ts";
import { Garbage } from "./garbage.ts";
import { HttpProblem } from "./problem.ts";
import type { ImageReply, ImageTask } from "./image_tasks.ts";
import { onMessage, owned, post } from "../worker_thread.ts";

const garbage = new Garbage();

onMessage<ImageTask>(async (task) => {
  try {
    const { reply, buffer } = await run(task);
    post(reply, [buffer]);
    garbage.add();
  } catch (cause) {
    const problem = imageProblem(cause);
    const error = problem instanceof Error ? problem.message : String(problem);
    const status = problem instanceof HttpProblem ? problem.status : undefined;
    post({ error, status } satisfies ImageReply, []);
  }
});

async function run(
  task: ImageTask,
): Promise<{ reply: ImageReply; buffer: ArrayBuffer }> {
  if (task.kind === "decode") {
    const { image, model, maxPixels } = task;
    checkImage(image, model, maxPixels);
    const pixels = await decodeImage(image.bytes, image.name, {
      maxPixels,
      range: model.settings.range,
    });
    checkSize(image.name, pixels, model);
    const data = owned(pixels.data);
    return { reply: { pixels: { ...pixels, data } }, buffer: data.buffer };
  }
  const { map, image } = task;
  const { threshold } = map;
  const original = mapToOriginal(map, map.geometry);
  const scale = mapScale(threshold, rangeOf(map.data).max);
  const png = await encodePng(
    image === undefined
      ? mapToGrey16(original, scale)
      : drawOverlay(image, original, { ...scale, threshold }),
  );
  return { reply: { png }, buffer: png.buffer };
}
