import { assertEquals, assertRejects } from "@std/assert";
import { readImage } from "../../src/cli/disk.ts";
import { ImageReader } from "../../src/cli/image_reader.ts";
import { decodeImage, type Pixels } from "../../src/core/mod.ts";
import { loadPixels } from "../../src/core/features/image_source.ts";
import { png } from "./serve/fake_service.ts";

async function withImages(
  count: number,
  fn: (paths: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const paths = Array.from({ length: count }, (_, i) => `${folder}/${i}.png`);
    for (const [i, path] of paths.entries()) {
      await Deno.writeFile(path, await png(8 + i));
    }
    await fn(paths);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function read(path: string): Promise<Pixels> {
  return await decodeImage(await readImage(path), path);
}

for (const count of [3, 40]) {
  Deno.test(`ImageReader gives ${count} images in order, and again in any`, async () => {
    await withImages(count, async (paths) => {
      using reader = new ImageReader(paths);
      assertEquals(reader.images.map(({ name }) => name), paths);
      for (const image of reader.images) {
        assertEquals(await loadPixels(image), await read(image.name));
      }
      for (const i of [count - 1, 0, 2, 1, 2]) {
        const image = reader.images[i]!;
        assertEquals(await loadPixels(image), await read(image.name));
      }
    });
  });

  Deno.test(`ImageReader tells which of ${count} images cannot be used`, async () => {
    await withImages(count, async (paths) => {
      await Deno.writeTextFile(paths[0]!, "no image");
      await Deno.remove(paths[1]!);
      using reader = new ImageReader(paths);
      for (const [i, image] of reader.images.entries()) {
        if (i > 1) assertEquals((await loadPixels(image)).width, 8 + i);
        else {
          const { name, message } = await assertRejects(
            () => read(paths[i]!),
            Error,
          );
          const error = await assertRejects(() => loadPixels(image), Error);
          assertEquals([error.name, error.message], [name, message]);
        }
      }
    });
  });
}

Deno.test("ImageReader goes on after an image that breaks its thread", async () => {
  const code = `addEventListener("message", ({ data }) => {
    if (data.path.endsWith("/2.png")) throw new Error("out of memory");
    postMessage({ pixels: { width: 1, height: 1, data: new Uint8Array(4) } });
  });`;
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  await withImages(12, async (paths) => {
    using reader = new ImageReader(
      paths,
      { startWorker: () => new Worker(url, { type: "module" }) },
    );
    for (const [i, image] of reader.images.entries()) {
      if (i !== 2) assertEquals((await loadPixels(image)).width, 1);
      else {
        await assertRejects(
          () => loadPixels(image),
          Error,
          `Cannot read image "${
            paths[2]
          }": decoding failed (Uncaught Error: out of memory); convert it to PNG`,
        );
      }
    }
  });
});
