/**
 * Watches a folder that a camera writes to and inspects every new image; ends
 * after COUNT images, or with Ctrl-C:
 *
 * ```sh
 * deno run -A examples/watch_folder.ts parts.safetensors incoming
 * ```
 */
import { type NamedImage, PatchCore } from "@patchcore/webgpu";

const [model, folder, count = "Infinity"] = Deno.args;
if (model === undefined || folder === undefined) {
  console.error("Usage: watch_folder.ts MODEL.safetensors FOLDER [COUNT]");
  Deno.exit(2);
}

/** Waits until nobody writes to a file any more. */
async function settled(path: string): Promise<Uint8Array> {
  for (let before = -1;;) {
    const { size } = await Deno.stat(path);
    if (size > 0 && size === before) return await Deno.readFile(path);
    before = size;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** New images of a folder, each once. */
async function* arrivals(
  watcher: Deno.FsWatcher,
): AsyncGenerator<NamedImage> {
  const seen = new Set<string>();
  for await (const { kind, paths } of watcher) {
    if (kind === "remove" || kind === "access") continue;
    for (const path of paths) {
      if (seen.has(path) || !/\.(png|jpe?g|webp|bmp)$/i.test(path)) continue;
      seen.add(path);
      try {
        yield { name: path, content: await settled(path) };
      } catch (error) {
        // It was moved away before it could be read.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        seen.delete(path);
      }
    }
  }
}

await using detector = await PatchCore.load(await Deno.readFile(model));
using watcher = Deno.watchFs(folder);
console.error(`Watching ${folder} with ${detector.adapterName}`);
let left = Number(count);
for await (const image of arrivals(watcher)) {
  // One image at a time, so that its result comes before the next arrives.
  const predictions = detector.predict([image], {
    onImageError: (name, error) => console.log(`${name}: ${error.message}`),
  });
  for await (const { name, score, label, worstPatch } of predictions) {
    const { x, y } = worstPatch;
    console.log(`${label} ${score.toFixed(3)} ${name} at ${x},${y}`);
  }
  if (--left <= 0) break;
}
Deno.exit();
