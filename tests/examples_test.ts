import { assert, assertEquals, assertMatch } from "@std/assert";
import { writeDemoFolder } from "./demo_folder.ts";

const EXAMPLES = new URL("../examples/", import.meta.url).pathname;

/** Starts an example as its users do. */
function start(name: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${EXAMPLES}${name}`, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs an example to its end and returns the lines it printed. */
async function run(name: string, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await start(name, ...args).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return text.decode(stdout).trimEnd().split("\n");
}

Deno.test("every example but those for browsers is run here", async () => {
  const source = await Deno.readTextFile(new URL(import.meta.url));
  for await (const { name, isFile } of Deno.readDir(EXAMPLES)) {
    if (!isFile || name === "portable.ts" || !name.endsWith(".ts")) continue;
    assert(source.includes(`"${name}"`), `${name} is run by no test`);
  }
});

Deno.test("examples fit a folder, write a table", async (t) => {
  const folder = await Deno.makeTempDir();
  const model = `${folder}/model.safetensors`;
  try {
    await writeDemoFolder(folder, 5);
    await t.step("fit_folder.ts", async () => {
      const [line = ""] = await run(
        ...["fit_folder.ts", `${folder}/good`, model, "demo"],
      );
      assertMatch(line, /: 5 images, 392 of 3920 patches kept, threshold \d/);
    });

    await t.step("batch_csv.ts", async () => {
      const table = `${folder}/scores.csv`;
      await Deno.writeTextFile(`${folder}/new/bad.png`, "no image");
      await run("batch_csv.ts", model, `${folder}/new`, table);
      const rows = (await Deno.readTextFile(table)).trimEnd().split("\n");
      assertEquals(rows[0], "image,score,label,error");
      const scores = rows.slice(1, -1).map((row) => Number(row.split(",")[1]));
      assert(scores.length >= 5);
      assertEquals(scores, scores.toSorted((a, b) => b - a));
      // The two good ones, 000 and 001, are not the worst.
      assertMatch(rows[1]!, /^"00[2-9]\.png",[\d.]+,(normal|anomalous),$/);
      assertMatch(rows.at(-1)!, /^"bad\.png",,,"Cannot .*bad\.png/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("features.ts prints the levels of the demo's backbone", async () => {
  const path = new URL("../weights/demo.onnx", import.meta.url).pathname;
  const lines = await run("features.ts", path);
  assertEquals(lines.map((line) => line.split(",").slice(0, 4).join()), [
    "layer1 [1,56,24,24]",
    "layer2 [1,136,12,12]",
    "layer3 [1,200,6,6]",
  ]);
});
