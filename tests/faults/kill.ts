import { assert, assertEquals } from "@std/assert";
import type { Chance } from "../fuzz/damage.ts";
import { type Job, run, spawn, strays } from "./workplace.ts";

/**
 * Kills a command at a moment of chance, and sees that nothing is half written
 * and that it goes on.
 *
 * @param longest Milliseconds that a whole run takes.
 * @param folder A folder for its results, that is not there yet.
 * @returns Whether it was killed before it had ended.
 */
export async function killOnce(
  job: Job,
  chance: Chance,
  { folder, longest }: { readonly folder: string; readonly longest: number },
): Promise<boolean> {
  await Deno.mkdir(folder, { recursive: true });
  const child = spawn(job.argv(folder));
  const output = child.output();
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }, chance.below(longest));
  const { signal, code, stderr } = await output;
  clearTimeout(timer);
  const said = new TextDecoder().decode(stderr);
  if (signal === null) assertEquals(code, 0, `${job.name}: ${said}`);
  const isDone = await job.inspect(folder);
  if (signal === null) assert(isDone, `${job.name} has left nothing`);
  if (!isDone || job.again !== undefined) {
    const again = await run((job.again ?? job.argv)(folder));
    assertEquals(again.code, 0, `${job.name} again: ${again.stderr}`);
    assert(await job.inspect(folder), `${job.name} again has left nothing`);
    assertEquals(await strays(folder), [], job.name);
  }
  await Deno.remove(folder, { recursive: true });
  return signal !== null;
}

/** Milliseconds that a job takes as a program. */
export async function duration(job: Job, folder: string): Promise<number> {
  await Deno.mkdir(folder, { recursive: true });
  const start = performance.now();
  const { code, stderr } = await spawn(job.argv(folder)).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assert(await job.inspect(folder), `${job.name} has left nothing`);
  await Deno.remove(folder, { recursive: true });
  return Math.ceil(performance.now() - start);
}
