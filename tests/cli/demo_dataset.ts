import { demoSet } from "../../src/core/demo/demo_set.ts";
import type { DemoOptions } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { encodePng } from "../../src/core/images/png.ts";
import type { GreyImage } from "../../src/core/images/png.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";

/** Runs `fn` with a folder that holds a category of the demo, `flange`. */
export async function withDemoDataset(
  size: DemoOptions,
  fn: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const { path, pixels, defect } of demoSet(FLANGE, size)) {
      await writeImage(`${root}/${path}`, pixels);
      if (defect !== undefined) {
        await writeImage(`${root}/${defect.maskPath}`, defect.mask);
      }
    }
    await fn(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Writes an image as PNG, its folders first. */
export async function writeImage(
  path: string,
  image: Pixels | GreyImage,
): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(path, await encodePng(image));
}
