import { assert, assertEquals } from "@std/assert";
import { CHROMIUM } from "../web/browser.ts";
import { inChromium, outcomesOf } from "./main.ts";

const why = CHROMIUM === undefined ? " (skipped: no Chromium)" : "";

Deno.test({
  name: `inChromium() runs tests of kernels as they stand${why}`,
  ignore: CHROMIUM === undefined,
  sanitizeOps: false, // the browser's pipes outlive it by a moment
  sanitizeResources: false,
  async fn() {
    const files = [
      "tests/wgsl/concat_test.ts",
      "tests/wgsl/expand_test.ts",
      "tests/gpu/tensor_test.ts",
      "tests/implementations/odd_cases.ts",
    ];
    const { outcomes, demo } = await inChromium(files, 60);
    const of = (file: string) => outcomes.get(file)!;
    for (const file of files.slice(0, 3)) {
      const failed = of(file).filter(({ kind }) => kind === "failed");
      assertEquals(failed, [], file);
      assert(of(file).length > 1, file);
    }
    assertEquals(
      of(files[3]!).map(({ name, kind }) => [name, kind]),
      [
        ["holds", "passed"],
        ["holds > a step", "passed"],
        ["holds > a step that is left out", "skipped"],
        ["fails", "failed"],
        ["fails in a step", "failed"],
        ["fails in a step > a step", "failed"],
        ["wants what a browser has not (needs Deno.pid)", "skipped"],
        ["2 and b of row 1", "passed"],
      ],
    );
    assertEquals(demo.scores.length, 5);
  },
});

Deno.test("outcomesOf() reads what deno test --junit-path writes", async () => {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", `--junit-path=${report}`]
        .concat(new URL("odd_cases.ts", import.meta.url).pathname),
      stdout: "null",
      stderr: "null",
    }).output();
    const outcomes = outcomesOf(await Deno.readTextFile(report));
    const counts = Object.groupBy(outcomes, ({ kind }) => kind);
    assertEquals(counts.passed?.map(({ name }) => name), [
      "holds",
      "wants what a browser has not",
      "2 and b of row 1",
      "holds > a step",
    ]);
    assertEquals(counts.skipped?.length, 1);
    assertEquals(counts.failed?.length, 3);
  } finally {
    await Deno.remove(report);
  }
});
