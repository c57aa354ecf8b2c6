import { MOST_PARTS } from "../core/model/shard.ts";
import { environmentVariable } from "./environment.ts";
import { UsageError } from "./exit.ts";

/** Which part of the images a fit is of: part i of n, i from 1. */
export type Shard = readonly [part: number, parts: number];

/** Reads an environment variable; undefined where it is not set. */
export type Environment = (name: string) => string | undefined;

/**
 * Understands `--shard`: `i/n` counts from 1, `index=k/n` from 0, and `auto` asks
 * the engine that runs the fit.
 *
 * @param text What was given.
 * @param environment Where an engine says which task this is.
 * @throws {UsageError} If it is none of these, or the engine does not say it.
 */
export function shardOf(
  text: string,
  environment: Environment = environmentVariable,
): Shard {
  if (text === "auto") return engineShard(environment);
  const [, zero, first, all] = /^(index=)?(\d+)\/(\d+)$/.exec(text) ?? [];
  const isIndex = zero !== undefined;
  const part = Number(first) + (isIndex ? 1 : 0);
  const parts = Number(all);
  if (part >= 1 && part <= parts && parts <= MOST_PARTS) return [part, parts];
  throw new UsageError(
    `Cannot use --shard "${text}": expected i/n with i from 1 to n, such as 1/4, index=k/n with k from 0 to n - 1, such as index=0/4, or auto`,
  );
}

/** The part that an array task of Slurm or an indexed pod of Kubernetes is. */
function engineShard(environment: Environment): Shard {
  const task = environment("SLURM_ARRAY_TASK_ID");
  const index = environment("JOB_COMPLETION_INDEX");
  if (task !== undefined && index !== undefined) {
    throw new UsageError(
      "Cannot use --shard auto: both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set; say which part it is, as in --shard 1/4",
    );
  }
  if (task !== undefined) return slurmShard(task, environment);
  if (index !== undefined) return kubernetesShard(index, environment);
  throw new UsageError(
    "Cannot use --shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set, or it may not be read; say which part it is, as in --shard 1/4",
  );
}

function slurmShard(task: string, environment: Environment): Shard {
  const read = (name: string, value = environment(name)) =>
    wholeNumber(name, value);
  const id = read("SLURM_ARRAY_TASK_ID", task);
  const count = read("SLURM_ARRAY_TASK_COUNT");
  const min = read("SLURM_ARRAY_TASK_MIN");
  const step = read(
    "SLURM_ARRAY_TASK_STEP",
    environment("SLURM_ARRAY_TASK_STEP") ?? "1",
  );
  const max = read(
    "SLURM_ARRAY_TASK_MAX",
    environment("SLURM_ARRAY_TASK_MAX") ?? String(min + (count - 1) * step),
  );
  const index = (id - min) / step;
  const isEven = max === min + (count - 1) * step;
  if (isEven && Number.isInteger(index) && index >= 0 && index < count) {
    return [index + 1, count];
  }
  throw new UsageError(
    `Cannot use --shard auto: task ${id} of an array of ${count} tasks from ${min} to ${max} is no part of a whole; submit all of them, as in --array=0-3, or say which part it is, as in --shard 1/4`,
  );
}

function kubernetesShard(index: string, environment: Environment): Shard {
  const part = wholeNumber("JOB_COMPLETION_INDEX", index) + 1;
  const parts = wholeNumber("COMPLETIONS", environment("COMPLETIONS"));
  if (part <= parts) return [part, parts];
  throw new UsageError(
    `Cannot use --shard auto: JOB_COMPLETION_INDEX is ${index}, which is not below COMPLETIONS, ${parts}; give COMPLETIONS what the job's spec.completions is`,
  );
}

function wholeNumber(name: string, text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(
    `Cannot use --shard auto: ${name} is ${
      text === undefined ? "not set" : `"${text}"`
    }, expected a whole number`,
  );
}
