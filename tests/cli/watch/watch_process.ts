import { encodePng } from "../../../src/core/images/png.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import type { AuditRecord } from "../../../src/cli/watch/audit_log.ts";
import { tinyDetector, tinyImages } from "../../tiny_model.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).pathname;

/** Starts `watch` as a program. */
export function startWatch(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", MOD, "watch", ...args]
      .concat("--no-autotune"),
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** A model of the tiny network in a file, and a good and a bad PNG. */
export async function writeTinyModel(path: string): Promise<{
  readonly good: Uint8Array<ArrayBuffer>;
  readonly bad: Uint8Array<ArrayBuffer>;
}> {
  using detector = await tinyDetector(undefined, 6);
  const { test } = tinyImages(6);
  const encode = async (isGood: boolean): Promise<Uint8Array<ArrayBuffer>> =>
    await encodePng(
      test.find(({ defect }) => (defect === undefined) === isGood)!
        .content as Pixels,
    );
  const [good, bad] = [await encode(true), await encode(false)];
  const scores: number[] = [];
  for await (const { score } of detector.predict([good, bad])) {
    scores.push(score);
  }
  // Between the two, so that they are told apart.
  detector.setThresholds({ score: (scores[0]! + scores[1]!) / 2 });
  await Deno.writeFile(path, detector.save({ bundle: true }));
  return { good, bad };
}

/** The records of an audit; nothing where there is none. */
export async function auditOf(out: string): Promise<AuditRecord[]> {
  try {
    const text = await Deno.readTextFile(`${out}/audit.jsonl`);
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Waits until something holds; fails after a minute. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 60,
): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!await holds()) {
    if (performance.now() > end) {
      throw new Error(`Waited in vain until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
