import { assert, assertEquals } from "@std/assert";
import { watch } from "../../src/cli/watch.ts";
import { runCommand } from "./run_command.ts";
import {
  auditOf,
  startWatch,
  until,
  writeTinyModel,
} from "./watch/watch_process.ts";

Deno.test("watch inspects what comes, once, by sub-folder and over restarts", async (t) => {
  const root = await Deno.makeTempDir();
  const inbox = `${root}/in`;
  const args = [
    ...[inbox, "--model", `${root}/part.safetensors`, "--out", `${root}/out`],
    ...["--interval", "0.1", "--patience", "0.5", "--batch", "2"],
  ];
  const verdicts = async (out = "out"): Promise<Record<string, string[]>> => {
    const names: Record<string, string[]> = {};
    for (const { image_path, verdict } of await auditOf(`${root}/${out}`)) {
      (names[image_path.slice(inbox.length + 1)] ??= []).push(verdict);
    }
    return names;
  };
  const end = async (
    child: Deno.ChildProcess,
    signal: Deno.Signal,
  ): Promise<string> => {
    const stderr = new Response(child.stderr).text();
    child.kill(signal);
    const { code } = await child.status;
    const said = await stderr;
    assertEquals(code, signal === "SIGINT" ? 130 : 0, said);
    assert(!/ {4}at |Uncaught|panicked/.test(said), said);
    return said;
  };
  const put = async (
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> => {
    await Deno.writeFile(`${inbox}/.new`, bytes);
    await Deno.rename(`${inbox}/.new`, `${inbox}/${name}`);
  };
  try {
    await Deno.mkdir(`${inbox}/a`, { recursive: true });
    const { good, bad } = await writeTinyModel(`${root}/part.safetensors`);
    await put("backlog.png", good);
    await t.step(
      "backlog, files that grow, overwritten names, no images",
      async () => {
        const child = startWatch(args);
        await until(
          "the backlog is done",
          async () => (await verdicts())["backlog.png"] !== undefined,
        );
        {
          using file = await Deno.open(`${inbox}/a/slow.png`, {
            ...{ write: true, create: true },
          });
          const half = bad.length >> 1;
          await file.write(bad.subarray(0, half));
          // Longer than a look, shorter than patience: it is tried again.
          await new Promise((resolve) => setTimeout(resolve, 300));
          await file.write(bad.subarray(half));
        }
        await Deno.writeTextFile(`${inbox}/none.png`, "no image");
        await until(
          "three are done",
          async () => Object.keys(await verdicts()).length === 3,
        );
        await put("backlog.png", bad);
        await until(
          "the overwritten one is done",
          async () => (await verdicts())["backlog.png"]?.length === 2,
        );
        await until("it is sorted", async () => {
          const names = await Array.fromAsync(Deno.readDir(`${root}/out/nok`));
          return names.length === 2;
        });
        const other = startWatch(args);
        const { code, stderr } = await other.output();
        assertEquals(code, 1);
        assert(new TextDecoder().decode(stderr).includes("another run"));
        await end(child, "SIGTERM");
        assertEquals(await verdicts(), {
          "backlog.png": ["ok", "nok"],
          "a/slow.png": ["nok"],
          "none.png": ["error"],
        });
        const [first] = await auditOf(`${root}/out`);
        assertEquals(first!.pred_label, "normal");
        assert(first!.pred_score! < first!.threshold!);
        for (
          const name of ["ok/backlog.png", "nok/a/slow.png", "error/none.png"]
        ) {
          assert((await Deno.stat(`${root}/out/${name}`)).isFile, name);
        }
      },
    );
    await t.step(
      "goes on after it was killed, and repeats nothing",
      async () => {
        const killed = startWatch(args);
        for (let i = 0; i < 8; i++) await put(`${i}.png`, i % 2 ? good : bad);
        await until(
          "some are done",
          async () => Object.keys(await verdicts()).length > 4,
        );
        const stderr = killed.stderr.cancel();
        killed.kill("SIGKILL");
        await Promise.all([killed.status, stderr]);
        const child = startWatch(args);
        await until(
          "all are done",
          async () => Object.keys(await verdicts()).length === 11,
        );
        await end(child, "SIGINT");
        const all = await verdicts();
        for (let i = 0; i < 8; i++) {
          assertEquals(all[`${i}.png`], [i % 2 ? "ok" : "nok"]);
        }
        assertEquals(all["none.png"], ["error"]);
        const numbers = (await auditOf(`${root}/out`)).map(({ n }) => n);
        assertEquals(
          numbers,
          numbers.map((_, i) => i + 1),
        );
      },
    );
    await t.step("--models by sub-folder", async () => {
      await Deno.mkdir(`${root}/models`);
      await Deno.copyFile(
        `${root}/part.safetensors`,
        `${root}/models/a.safetensors`,
      );
      const child = startWatch([
        ...[inbox, "--models", `${root}/models`, "--out", `${root}/out2`],
        ...["--interval", "0.1", "--patience", "0", "--sort", "off"],
      ]);
      await until(
        "all are done",
        async () => Object.keys(await verdicts("out2")).length === 11,
      );
      await end(child, "SIGTERM");
      const all = await verdicts("out2");
      assertEquals(all["a/slow.png"], ["nok"]);
      // No model, no verdict.
      assertEquals(all["1.png"], ["error"]);
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test.each<[readonly string[], number, string]>([
  [["in"], 2, "--out DIR is missing"],
  [["in", "--out", "o"], 2, "--model M.safetensors is missing"],
  [["in", "--out", "o", "--model", "m", "--models", "f"], 2, "either --model"],
  [
    ["in", "--out", "o", "--models", "f", "--threshold", "1"],
    2,
    "--threshold with --models",
  ],
  [["in", "--out", "o", "--model", "m", "--batch", "3"], 2, "power of two"],
  [["in", "--out", "o", "--model", "m", "--webhook", "x"], 2, "--webhook"],
  [
    [
      ...["in", "--out", "o", "--model", "m", "--webhook", "http://a.example"],
      ...["--webhook-secret-env", "PATCHCORE_NO_SUCH_VARIABLE"],
    ],
    2,
    "no such variable",
  ],
  [
    ["in", "--out", "o", "--model", "m", "--mqtt", "mqtt://a:b@c.example"],
    2,
    "--mqtt-password-env",
  ],
  [["/no/such", "--out", "o", "--model", "m"], 1, "does not exist"],
])("watch refuses %j", async (argv, expected, sentence) => {
  const { code, stderr } = await runCommand(watch, ...argv);
  assertEquals(code, expected, stderr);
  assert(stderr.includes(sentence), stderr);
});

Deno.test("watch refuses an --out in the folder, or with other files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/in`);
    await Deno.mkdir(`${folder}/out`);
    await Deno.writeTextFile(`${folder}/out/mine.txt`, "");
    for (
      const [out, sentence] of [
        ["in/out", "lies in the input folder"],
        ["out", "holds other files"],
      ] as const
    ) {
      const { code, stderr } = await runCommand(
        watch,
        ...[`${folder}/in`, "--model", "m", "--out", `${folder}/${out}`],
      );
      assertEquals(code, 1);
      assert(stderr.includes(sentence), stderr);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
