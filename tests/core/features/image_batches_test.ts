import { assertEquals, assertRejects } from "@std/assert";
import { encodePng } from "../../../src/core/images/png.ts";
import { viewsOf } from "../../../src/core/images/views.ts";
import { loadPixels } from "../../../src/core/features/image_source.ts";
import { ImageBatches } from "../../../src/core/features/image_batches.ts";
import type { ImageSource } from "../../../src/core/features/image_source.ts";

function square(
  side: number,
): { width: number; height: number; data: Uint8Array } {
  return { width: side, height: side, data: new Uint8Array(side * side * 4) };
}

/** Squares of side 1, 2, 3 …; every one whose side is in `broken` fails. */
function squares(count: number, broken: readonly number[] = []): ImageSource[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${i + 1}.png`,
    content: broken.includes(i + 1)
      ? () => Promise.reject(new Error(`no ${i + 1}`))
      : square(i + 1),
  }));
}

Deno.test("ImageBatches fills batches in order and reports what fails", async () => {
  const failed: string[] = [];
  const images = new ImageBatches(squares(8, [2, 8]), {
    batch: 3,
    onImageError: (name, { message }) => failed.push(`${name}: ${message}`),
    check: ({ width }) => {
      if (width === 5) throw new RangeError("five");
    },
  });
  const batches = await Array.fromAsync(images);
  assertEquals(
    batches.map((batch) =>
      batch.map(({ index, pixels }) => [index, pixels.width])
    ),
    [[[0, 1], [2, 3], [3, 4]], [[5, 6], [6, 7]]],
  );
  assertEquals(failed, ["2.png: no 2", "5.png: five", "8.png: no 8"]);
  assertEquals(images.seen, 8);
});

Deno.test("ImageBatches names images that have no name", async () => {
  const images = new ImageBatches([square(1), square(2)], { batch: 1 });
  const names = [];
  for await (const [image] of images) names.push(image!.source.name);
  assertEquals(names, ["image 0", "image 1"]);
});

Deno.test("ImageBatches throws what fails when nobody is told", async () => {
  const images = new ImageBatches(squares(3, [2]), { batch: 1 });
  await assertRejects(() => Array.fromAsync(images), Error, "no 2");
  assertEquals(images.seen, 2);
});

Deno.test("ImageBatches loads no batch before it is asked for, and none after an abort", async () => {
  let loaded = 0;
  const sources = Array.from({ length: 6 }, (_, i) => ({
    name: `${i}`,
    content: () => Promise.resolve((loaded++, square(1))),
  }));
  const stop = new AbortController();
  const images = new ImageBatches(sources, { batch: 2, signal: stop.signal });
  assertEquals(loaded, 0);
  const batches = images[Symbol.asyncIterator]();
  await batches.next();
  assertEquals(loaded, 2);
  stop.abort(new Error("enough"));
  await assertRejects(() => batches.next(), Error, "enough");
  assertEquals(loaded, 2);
});

Deno.test("ImageBatches closes its source when it is left early", async () => {
  let isClosed = false;
  function* source() {
    try {
      for (;;) yield square(1);
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of new ImageBatches(source(), { batch: 2 })) break;
  assertEquals(isClosed, true);
});

Deno.test("ImageBatches gives views that are the same when they are loaded again", async () => {
  const grey = Uint16Array.of(0, 50, 100, 150, 200, 250);
  const content = await encodePng({ width: 3, height: 2, grey });
  const batches = new ImageBatches([{ name: "deep.png", content }], {
    batch: 1,
    range: { low: 0, high: 255 },
    views: viewsOf({ rotations: 1, flips: true, brightness: 0 }),
  });
  const views = (await Array.fromAsync(batches)).flat().slice(1);
  assertEquals(views.map(({ view }) => view), [1, 2]);
  for (const { source, pixels } of views) {
    assertEquals([...(await loadPixels(source)).data], [...pixels.data]);
  }
  const [left] = views;
  assertEquals([...left!.pixels.data.subarray(0, 4)], [100, 100, 100, 255]);
});
