/**
 * Folders of the demo's pictures, for tests that run programs.
 *
 * @module
 */
import { demoSet } from "../src/core/demo/demo_set.ts";
import { FLANGE } from "../src/core/demo/flange.ts";
import { encodePng } from "../src/core/images/png.ts";

/**
 * Writes `good/000.png` … to fit, and `new/000.png` … to inspect: two good ones,
 * then one of each kind of defect.
 */
export async function writeDemoFolder(
  folder: string,
  train: number,
): Promise<void> {
  const counts = { good: 0, new: 0 };
  for (
    const { split, pixels } of demoSet(FLANGE, {
      train,
      good: 2,
      defective: 1,
    })
  ) {
    const part = split === "train" ? "good" : "new";
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
    const number = String(counts[part]++).padStart(3, "0");
    await Deno.writeFile(
      `${folder}/${part}/${number}.png`,
      await encodePng(pixels),
    );
  }
}
