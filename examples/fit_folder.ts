/**
 * Learns from a folder of good images and writes one model file, backbone
 * included:
 *
 * ```sh
 * deno run -A examples/fit_folder.ts parts/good parts.safetensors wide_resnet50_2
 * ```
 */
import { type NamedImage, PatchCore } from "@patchcore/webgpu";

const [folder, model, backbone = "wide_resnet50_2"] = Deno.args;
if (folder === undefined || model === undefined) {
  console.error("Usage: fit_folder.ts FOLDER MODEL.safetensors [BACKBONE]");
  Deno.exit(2);
}

const images: NamedImage[] = [];
for await (const { name } of Deno.readDir(folder)) {
  if (!/\.(png|jpe?g|webp|bmp)$/i.test(name)) continue;
  // Files are read when their turn comes, not all at once.
  images.push({ name, content: () => Deno.readFile(`${folder}/${name}`) });
}
images.sort((a, b) => a.name < b.name ? -1 : 1);

await using detector = await PatchCore.create({ backbone, coreset: 0.1 });
const report = await detector.fit(images, {
  onImageError: (name, error) => console.error(`${name}: ${error.message}`),
});
await Deno.writeFile(model, detector.save({ bundle: true }));
console.log(
  `${model}: ${report.images} images, ${report.bankRows} of ${report.patches} patches kept, threshold ${report.threshold}`,
);
Deno.exit();
