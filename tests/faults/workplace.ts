/**
 * A folder with all that the commands need, and the commands that write.
 *
 * @module
 */
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { readModelFile } from "../../src/core/model/model_file.ts";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runProgram } from "../../src/cli/main.ts";
import { withDemoDataset } from "../cli/demo_dataset.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import type { CommandRun } from "../cli/run_command.ts";

/** The program. */
export const PROGRAM: string =
  new URL("../../mod.ts", import.meta.url).pathname;

const SMALL = [
  ...["--backbone", "demo", "--resize", "64", "--no-crop", "--square"],
  ...["--no-autotune"],
];
const SIZE = { train: 6, good: 6, defective: 1 };
/** A network of which the beginning alone is converted. */
const NETWORK = "resnet18";
const PAST = /^(layer[2-4]|fc)\./;

/** A command that writes, and what it leaves. */
export interface Job {
  /** What it does. */
  readonly name: string;
  /** Its arguments. */
  readonly argv: (out: string) => readonly string[];
  /** How it goes on after it was ended; the same arguments again by default. */
  readonly again?: (out: string) => readonly string[];
  /**
   * Reads what is there.
   *
   * @returns Whether the work is done.
   * @throws {Error} If something is there that is half written.
   */
  readonly inspect: (out: string) => Promise<boolean>;
}

/** Makes the folder, then runs `work` with it and the jobs. */
export async function withWorkplace(
  work: (root: string, jobs: readonly Job[]) => Promise<void>,
): Promise<void> {
  await withDemoDataset(SIZE, async (root) => {
    const jobs = jobsIn(root);
    const shard = (part: string) => [
      ...["fit", `${root}/flange`, ...SMALL, "--coreset=0.05"],
      ...[`--shard=${part}`, "--model", `${root}/part${part[0]}.safetensors`],
    ];
    for (const argv of [shard("1/2"), shard("2/2")]) await sound(argv);
    await sound([
      ...["fit", `${root}/flange`, "--model", `${root}/model.safetensors`],
      ...[...SMALL, "--coreset=0.05"],
    ]);
    const { weights } = randomWeights(architecture(NETWORK), 1);
    const beginning = new Map(
      [...weights].filter(([name]) => !PAST.test(name)).map((
        [name, { shape, data }],
      ) => [name, { dtype: "F32" as const, shape, data }]),
    );
    await Deno.writeFile(
      `${root}/weights.safetensors`,
      writeSafetensors(beginning, new Map()),
    );
    await work(root, jobs);
  });
}

function jobsIn(root: string): readonly Job[] {
  const set = `${root}/flange`;
  const model = `${root}/model.safetensors`;
  const isModel = async (out: string): Promise<boolean> => {
    const bytes = await bytesOf(`${out}/new.safetensors`);
    return bytes !== undefined && readModelFile(bytes).rows > 0;
  };
  const predictions = (out: string) => [
    ...["predict", set, "--model", model, "--maps", "npy", "--csv"],
    ...["--out", `${out}/results`],
  ];
  return [{
    name: "fit",
    argv: (out) => [
      ...["fit", set, "--model", `${out}/new.safetensors`, ...SMALL],
      "--coreset=0.05",
    ],
    inspect: isModel,
  }, {
    name: "append",
    argv: (out) => [
      ...["fit", `${set}/train/good`, "--append", model],
      ...["--model", `${out}/new.safetensors`, "--no-autotune"],
    ],
    inspect: isModel,
  }, {
    name: "merge",
    argv: (out) => [
      ...["merge", `${root}/part1.safetensors`, `${root}/part2.safetensors`],
      ...["--model", `${out}/new.safetensors`],
    ],
    inspect: isModel,
  }, {
    name: "convert",
    argv: (out) => [
      ...["weights", "convert", `${root}/weights.safetensors`],
      ...["--arch", NETWORK, "--until=layer1", "--out", `${out}/new.onnx`],
    ],
    inspect: async (out) => {
      const bytes = await bytesOf(`${out}/new.onnx`);
      return bytes !== undefined && (await readOnnx(bytes)).nodes.length > 0;
    },
  }, {
    name: "predict",
    argv: predictions,
    again: (out) => [...predictions(out), "--resume"],
    inspect: async (out) => {
      const run = await bytesOf(`${out}/results/run.json`);
      if (run === undefined) return false;
      const isDone = JSON.parse(textOf(run)).finished === true;
      const lines = await linesOf(`${out}/results/predictions.jsonl`);
      lines.slice(0, -1).forEach((line) => JSON.parse(line));
      if (isDone && lines.some((line) => line === "")) {
        throw new Error("An empty line in predictions.jsonl");
      }
      return isDone;
    },
  }, {
    name: "evaluate",
    argv: (out) => [
      ...["evaluate", set, ...SMALL, "--coreset=0.05"],
      ...["--resume", `${out}/journal.jsonl`, "--csv", `${out}/table.csv`],
      "--overwrite",
    ],
    inspect: async (out) => {
      const lines = await linesOf(`${out}/journal.jsonl`);
      lines.forEach((line) => JSON.parse(line));
      return lines.length > 0 &&
        await bytesOf(`${out}/table.csv`) !== undefined;
    },
  }];
}

/** Runs a command line in this process. */
export async function run(
  argv: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<CommandRun> {
  const fake = new FakeTerminal();
  const code = await runProgram(argv, {
    terminal: fake.terminal,
    signal,
    commands: COMMANDS,
    debug: false,
  });
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

/** Starts a command line in a process of its own. */
export function spawn(argv: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", PROGRAM, ...argv],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function sound(argv: readonly string[]): Promise<void> {
  const { code, stderr } = await run(argv);
  if (code !== 0) throw new Error(`${argv[0]} ended with ${code}: ${stderr}`);
}

/**
 * Why what a command says is no answer to a fault: it is to be one sentence.
 *
 * @param stderr All that it has written.
 */
export function faultOf(stderr: string): string | undefined {
  const lines = stderr.split("\n")
    .filter((line) => line.startsWith("error:"));
  if (lines.length !== 1) return `${lines.length} errors`;
  if (/ {4}at |Uncaught|panicked|RUST_BACKTRACE/.test(stderr)) {
    return "it has a stack";
  }
  return /^error: [A-Z][^\n]*[^.]$/.test(lines[0]!) ? undefined : lines[0]!;
}

async function bytesOf(
  path: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function linesOf(path: string): Promise<string[]> {
  const bytes = await bytesOf(path);
  return bytes === undefined ? [] : textOf(bytes).split("\n").slice(0, -1);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Files that were being written, in a folder and those in it. */
export async function strays(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await strays(`${folder}/${name}`));
    else if (name.endsWith(".tmp")) found.push(name);
  }
  return found;
}
