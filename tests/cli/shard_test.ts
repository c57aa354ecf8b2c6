import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/exit.ts";
import { shardOf } from "../../src/cli/shard.ts";

type Variables = Readonly<Record<string, string>>;

const of = (text: string, variables: Variables = {}) =>
  shardOf(text, (name) => variables[name]);

Deno.test("shardOf() counts from 1, or from 0 where that is said", () => {
  assertEquals(of("1/4"), [1, 4]);
  assertEquals(of("4/4"), [4, 4]);
  assertEquals(of("index=0/4"), [1, 4]);
  assertEquals(of("index=3/4"), [4, 4]);
});

Deno.test.each([
  ["0/4"],
  ["5/4"],
  ["index=4/4"],
  ["2"],
  ["1/0"],
  ["-1/4"],
  ["1/4/2"],
  ["part=1/4"],
])("shardOf() refuses %s", (text) => {
  assertThrows(() => of(text), UsageError, `Cannot use --shard "${text}"`);
});

const slurm = (
  id: number,
  [min, max]: readonly [number, number],
  count: number,
  step = 1,
): Variables => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_MAX: String(max),
  SLURM_ARRAY_TASK_COUNT: String(count),
  SLURM_ARRAY_TASK_STEP: String(step),
});

Deno.test("shardOf() auto is what an array task of Slurm is, wherever it begins", () => {
  assertEquals(of("auto", slurm(0, [0, 3], 4)), [1, 4]);
  assertEquals(of("auto", slurm(4, [1, 4], 4)), [4, 4]);
  assertEquals(of("auto", slurm(14, [10, 18], 5, 2)), [3, 5]);
  const { SLURM_ARRAY_TASK_STEP: _, SLURM_ARRAY_TASK_MAX: __, ...few } = slurm(
    2,
    [1, 4],
    4,
  );
  assertEquals(of("auto", few), [2, 4]);
});

Deno.test("shardOf() auto refuses an array with holes", () => {
  assertThrows(
    () => of("auto", slurm(5, [1, 7], 3)),
    UsageError,
    "task 5 of an array of 3 tasks from 1 to 7 is no part of a whole",
  );
});

Deno.test("shardOf() auto is what an indexed pod of Kubernetes is", () => {
  const pod = { JOB_COMPLETION_INDEX: "0", COMPLETIONS: "4" };
  assertEquals(of("auto", pod), [1, 4]);
  assertThrows(
    () => of("auto", { JOB_COMPLETION_INDEX: "0" }),
    UsageError,
    "COMPLETIONS is not set",
  );
  assertThrows(
    () => of("auto", { ...pod, JOB_COMPLETION_INDEX: "4" }),
    UsageError,
    "not below COMPLETIONS, 4",
  );
});

Deno.test("shardOf() auto refuses to guess", () => {
  assertThrows(() => of("auto"), UsageError, "neither SLURM_ARRAY_TASK_ID");
  assertThrows(
    () =>
      of("auto", {
        ...slurm(1, [1, 4], 4),
        JOB_COMPLETION_INDEX: "0",
      }),
    UsageError,
    "both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX",
  );
});
