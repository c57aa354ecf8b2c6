import { assertEquals, assertStringIncludes } from "@std/assert";

const SCRIPTS = new URL("../../bench/paper/", import.meta.url).pathname;

async function run(
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${SCRIPTS}${script}.ts`],
    env,
  }).output();
  return { code, output: new TextDecoder().decode(stdout) };
}

for (const script of ["table_1", "figure_6", "mtd", "transistor"]) {
  Deno.test(`bench/paper/${script} names missing data and skips`, async () => {
    const empty = await Deno.makeTempDir();
    try {
      const { code, output } = await run(script, { PATCHCORE_DATA: empty });
      assertEquals(code, 0);
      assertStringIncludes(output, "Skipped: looked for the data set");
      assertStringIncludes(output, empty);
    } finally {
      await Deno.remove(empty);
    }
  });
}

Deno.test("bench/paper/table_4 names missing backbones and skips", async () => {
  const empty = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${empty}/mvtec`);
    const { code, output } = await run("table_4", {
      PATCHCORE_DATA: empty,
      PATCHCORE_WEIGHTS: empty,
      PATCHCORE_RESULTS: `${empty}/results.jsonl`,
    });
    assertEquals(code, 0);
    assertStringIncludes(output, `"${empty}/wide_resnet101_2.onnx"`);
    assertStringIncludes(output, "99.6     –");
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});
