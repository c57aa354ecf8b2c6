import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { Chance } from "../fuzz/damage.ts";
import { programTest } from "../cli/run_command.ts";
import { killOnce } from "./kill.ts";
import { loseOnce, Losses, type Place } from "./lose.ts";
import {
  faultOf,
  type Job,
  run,
  spawn,
  strays,
  withWorkplace,
} from "./workplace.ts";

programTest("faults of the machine", async (t) => {
  await withWorkplace(async (root, jobs) => {
    const named = (name: string): Job => jobs.find((job) => job.name === name)!;
    const folder = `${root}/out`;

    for (const [i, job] of jobs.entries()) {
      await t.step(
        `${job.name} that is killed is whole, and goes on`,
        async () => {
          await killOnce(job, new Chance(i), { folder, longest: 2000 });
        },
      );
    }

    await t.step("each stage says that the device was lost", async (t) => {
      using losses = new Losses();
      for (const name of ["fit", "append", "merge", "predict", "evaluate"]) {
        const job = named(name);
        await Deno.mkdir(folder, { recursive: true });
        const calls = await losses.count(async () => {
          const { code, stderr } = await run(job.argv(folder));
          assertEquals(code, 0, stderr);
        });
        await Deno.remove(folder, { recursive: true });
        const chosen: readonly (readonly [Place, number])[] = [
          ["createBuffer", 0],
          ["createComputePipelineAsync", calls.createComputePipelineAsync >> 1],
          ["submit", calls.submit >> 1],
          ["submit", calls.submit - 1],
        ];
        for (const [place, call] of chosen) {
          await t.step(
            `${name}, at ${place} ${call}`,
            () => loseOnce(job, losses, { folder, place, call }),
          );
        }
      }
    });

    await t.step("predict whose output is closed ends quietly", async () => {
      await Deno.mkdir(folder, { recursive: true });
      const child = spawn([...named("predict").argv(folder), "--json"]);
      const errors = new Response(child.stderr).text();
      await child.stdout.cancel();
      assertEquals((await child.status).code, 1);
      assert(!/error:| {4}at /.test(await errors), await errors);
      await Deno.remove(folder, { recursive: true });
    });

    const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;
    for (
      const [what, options] of [
        ["full", "size=16k"],
        ["read-only", "ro"],
      ] as const
    ) {
      await t.step({
        name: `a disk that is ${what} is told of in a sentence`,
        ignore: !isRoot || !await canMount(root),
        fn: async () => {
          for (const name of ["fit", "append", "merge", "convert", "predict"]) {
            await withDisk(folder, options, async () => {
              const { code, stderr } = await run(named(name).argv(folder));
              assertEquals(code, 1, `${name}: ${stderr}`);
              assertEquals(faultOf(stderr), undefined, stderr);
              assertMatch(stderr, /error: .*(No space left|Read-only)/, stderr);
              assertEquals(await strays(folder), [], name);
              assert(!await named(name).inspect(folder), name);
            });
          }
        },
      });
    }
  });
});

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143]] as const;

programTest("every command ends when it is told to", async (t) => {
  await withWorkplace(async (root, jobs) => {
    const lines: Readonly<Record<string, readonly string[]>> = {
      demo: ["demo", "--out", `${root}/demo`],
      info: ["info", `${root}/model.safetensors`],
      calibrate: ["calibrate", `${root}/model.safetensors`, "--set=1"]
        .concat("--out", `${root}/calibrated.safetensors`, "--overwrite"),
      completions: ["completions", "bash"],
      serve: ["serve", "--model", `${root}/model.safetensors`, "--port=0"],
      watch: ["watch", `${root}/flange`, "--out", `${root}/watched`]
        .concat("--model", `${root}/model.safetensors`),
    };
    for (const { name } of COMMANDS) {
      for (const [signal, expected] of SIGNALS) {
        await t.step(`${name}, by ${signal}`, async () => {
          const folder = `${root}/${name}_${signal}`;
          await Deno.mkdir(folder, { recursive: true });
          const job = jobs.find(({ argv }) => argv("")[0] === name);
          const argv = job === undefined ? lines[name]! : job.argv(folder);
          const child = spawn(argv);
          const output = child.output();
          await new Promise((resolve) => setTimeout(resolve, 250));
          try {
            child.kill(signal);
          } catch {
            // It has ended by itself.
          }
          const { code, stderr } = await output;
          const said = new TextDecoder().decode(stderr);
          const graceful = ["serve", "watch"].includes(name) &&
            signal === "SIGTERM";
          // It may have ended before.
          const isShort = !["fit", "predict", "evaluate"].includes(name);
          assert(
            code === expected || code === 0 && (graceful || isShort),
            `${code}: ${said}`,
          );
          assert(!/error:| {4}at /.test(said), said);
          await job?.inspect(folder);
        });
      }
    }
  });
});

/** Whether this process may mount: not in every container. */
async function canMount(root: string): Promise<boolean> {
  try {
    await withDisk(`${root}/probe`, "size=16k", () => Promise.resolve());
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` with a small file system in memory at `folder`. */
async function withDisk(
  folder: string,
  options: string,
  work: () => Promise<void>,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await system("mount", "-t", "tmpfs", "-o", options, "none", folder);
  try {
    await work();
  } finally {
    await system("umount", folder);
    await Deno.remove(folder);
  }
}

async function system(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
