/**
 * Draws docs/pictures/demo.jpg: a good part of each of the demo's products, one
 * with a defect, and that one with its anomaly map.
 *
 *     deno run -A docs/pictures/make_demo.ts
 */
import { PatchCore } from "../../mod.ts";
import { DEMO_PRODUCTS, demoSet } from "../../src/core/demo/demo_set.ts";
import { mapToOriginal } from "../../src/core/images/map_geometry.ts";
import { drawOverlay, mapScale } from "../../src/core/images/overlay.ts";
import { encodePng } from "../../src/core/images/png.ts";
import type { Pixels } from "../../src/core/mod.ts";

const SIDE = 256;
const GAP = 8;
/** Which of the defective pictures of each product is shown. */
const SHOWN = [0, 4, 8];

const rows: Pixels[][] = [];
await using detector = await PatchCore.create({
  backbone: "demo",
  square: true,
  crop: null,
});
for (const [i, product] of DEMO_PRODUCTS.entries()) {
  const images = [...demoSet(product)];
  const pixels = (split: string, defective: boolean): Pixels[] =>
    images.filter((image) =>
      image.split === split && (image.defect !== undefined) === defective
    ).map((image) => image.pixels);
  await detector.fit(pixels("train", false));
  const bad = pixels("test", true)[SHOWN[i]!]!;
  for await (const { image, map } of detector.predict([bad])) {
    const drawn = drawOverlay(image, mapToOriginal(map, map.geometry), {
      ...mapScale(map.threshold, 0),
      threshold: map.threshold,
    });
    rows.push([pixels("test", false)[0]!, bad, drawn]);
  }
}

/** Three pictures a product, products side by side. */
const columns = rows.flat();
const width = columns.length * (SIDE + GAP) - GAP;
const data = new Uint8Array(width * SIDE * 4).fill(255);
columns.forEach((picture, i) => {
  for (let y = 0; y < SIDE; y++) {
    const line = picture.data.subarray(y * SIDE * 4, (y + 1) * SIDE * 4);
    data.set(line, (y * width + i * (SIDE + GAP)) * 4);
  }
});
const png = await encodePng({ width, height: SIDE, data });
const bitmap = await createImageBitmap(new Blob([png]), {
  resizeWidth: width / 2,
  resizeHeight: SIDE / 2,
  resizeQuality: "high",
});
const canvas = new OffscreenCanvas(width / 2, SIDE / 2);
canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
await Deno.writeFile(new URL("demo.jpg", import.meta.url), jpeg.stream());
Deno.exit();
