import { VERSION } from "../core/settings/version.ts";
import type { PredictionRecord } from "./prediction_record.ts";

/** The one kind of thing that regions are. */
const CATEGORY = { id: 1, name: "anomaly", supercategory: "defect" };

/**
 * Regions of images as COCO's instances have them: boxes `[x, y, width, height]`
 * and outer lines in pixels, `score` the region's peak. Images that could not be
 * used are left out.
 */
export function cocoJson(records: readonly PredictionRecord[]): string {
  const scored = records.flatMap((record) => "error" in record ? [] : [record]);
  const annotations = scored.flatMap(({ regions }, image) =>
    regions.map(({ x, y, width, height, area, peak, contour }) => ({
      image_id: image + 1,
      category_id: CATEGORY.id,
      bbox: [x, y, width, height],
      area,
      segmentation: [contour.flat()],
      iscrowd: 0,
      score: peak,
    }))
  );
  const coco = {
    info: {
      description: `Anomalous regions, found by @patchcore/webgpu ${VERSION}`,
      version: VERSION,
    },
    images: scored.map(({ image_path, map: { width, height } }, i) => ({
      id: i + 1,
      file_name: image_path,
      width,
      height,
    })),
    categories: [CATEGORY],
    annotations: annotations.map((region, i) => ({ id: i + 1, ...region })),
  };
  return `${JSON.stringify(coco)}\n`;
}
