/**
 * Kills commands and loses devices many times: `deno task faults [KILLS]
 * [LOSSES]`, 100 and 50 by default, `--seed=N` for other moments.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Chance } from "../fuzz/damage.ts";
import { duration, killOnce } from "./kill.ts";
import { loseOnce, Losses, type Place } from "./lose.ts";
import { type Job, run, withWorkplace } from "./workplace.ts";

const PLACES: readonly Place[] = [
  "submit",
  "createBuffer",
  "createComputePipelineAsync",
];

if (import.meta.main) {
  const { _: [kills = 100, losses = 50], seed } = parseArgs(Deno.args, {
    string: ["seed"],
  });
  const chance = new Chance(Number(seed ?? 1));
  await withWorkplace(async (root, jobs) => {
    await kill(jobs, Number(kills), { chance, folder: `${root}/killed` });
    await lose(jobs, Number(losses), { chance, folder: `${root}/lost` });
  });
  Deno.exit();
}

interface Where {
  readonly chance: Chance;
  readonly folder: string;
}

async function kill(
  jobs: readonly Job[],
  times: number,
  { chance, folder }: Where,
): Promise<void> {
  const killed = new Map<string, number>();
  const durations = new Map<Job, number>();
  for (let i = 0; i < times; i++) {
    const job = jobs[i % jobs.length]!;
    const longest = durations.get(job) ?? await duration(job, folder);
    durations.set(job, longest);
    // A folder of its own, for a process looks through each but once.
    const isKilled = await killOnce(job, chance, {
      folder: `${folder}${i}`,
      longest,
    });
    const name = isKilled ? job.name : `${job.name}, ended before`;
    killed.set(name, (killed.get(name) ?? 0) + 1);
  }
  console.log(
    `${times} kills, nothing half written:`,
    Object.fromEntries(killed),
  );
}

async function lose(
  jobs: readonly Job[],
  times: number,
  { chance, folder }: Where,
): Promise<void> {
  using losses = new Losses();
  const using = jobs.filter(({ name }) => name !== "convert");
  const lost = new Map<string, number>();
  const counts = new Map<Job, Record<Place, number>>();
  for (let i = 0; i < times; i++) {
    const job = using[i % using.length]!;
    const calls = counts.get(job) ?? await losses.count(async () => {
      await Deno.mkdir(folder);
      await run(job.argv(folder));
      await Deno.remove(folder, { recursive: true });
    });
    counts.set(job, calls);
    const place = PLACES[Math.floor(i / using.length) % PLACES.length]!;
    const call = chance.below(calls[place]);
    await loseOnce(job, losses, { folder, place, call });
    const name = `${job.name}, ${place}`;
    lost.set(name, (lost.get(name) ?? 0) + 1);
  }
  console.log(`${times} losses, a sentence each:`, Object.fromEntries(lost));
}
