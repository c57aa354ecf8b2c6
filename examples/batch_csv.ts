/**
 * Scores every image of a folder and writes a table, worst first. A bad image
 * gets a line with its error and stops nothing:
 *
 * ```sh
 * deno run -A examples/batch_csv.ts parts.safetensors parts/new scores.csv
 * ```
 */
import { type NamedImage, PatchCore } from "@patchcore/webgpu";

const [model, folder, table] = Deno.args;
if (model === undefined || folder === undefined || table === undefined) {
  console.error("Usage: batch_csv.ts MODEL.safetensors FOLDER TABLE.csv");
  Deno.exit(2);
}

const images: NamedImage[] = [];
for await (const { name } of Deno.readDir(folder)) {
  if (!/\.(png|jpe?g|webp|bmp)$/i.test(name)) continue;
  images.push({ name, content: () => Deno.readFile(`${folder}/${name}`) });
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const rows: { readonly score: number; readonly line: string }[] = [];
await using detector = await PatchCore.load(await Deno.readFile(model));
const predictions = detector.predict(images, {
  onImageError: (name, error) =>
    rows.push({
      score: -Infinity,
      line: `${quoted(name)},,,${quoted(error.message)}`,
    }),
});
for await (const { name, score, label } of predictions) {
  rows.push({ score, line: `${quoted(name)},${score},${label},` });
}
rows.sort((a, b) => b.score - a.score);
const lines = ["image,score,label,error", ...rows.map(({ line }) => line)];
await Deno.writeTextFile(table, `${lines.join("\n")}\n`);
console.log(`${table}: ${rows.length} images`);
Deno.exit();
