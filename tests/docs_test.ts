/**
 * Runs what the documents tell users to type: blocks of sh and of ts, but not
 * those marked `no-run`, which need what a test has not.
 */
import { assert, assertEquals } from "@std/assert";
import { benchesOf, withTables } from "../bench/tables.ts";
import { DEMO_PRODUCTS, demoSet } from "../src/core/demo/demo_set.ts";
import { encodePng } from "../src/core/images/png.ts";
import { writeDemoFolder } from "./demo_folder.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
const PAGES = [
  "README.md",
  "docs/adding_a_kernel.md",
  "docs/deploying.md",
  "docs/how_it_works.md",
  "docs/images.md",
  "docs/regions.md",
  "docs/scaling.md",
  "docs/settings.md",
  "docs/thresholds.md",
];

/** Programs in place of those on the PATH: they find what is in the checkout. */
const DENO = `#!/bin/sh
for argument; do
  shift
  case "$argument" in
  mod.ts | examples/*.ts) argument="${ROOT}$argument" ;;
  esac
  set -- "$@" "$argument"
done
if [ "$1" = bundle ]; then
  shift
  set -- bundle --config "${ROOT}deno.json" "$@"
fi
exec "${Deno.execPath()}" "$@"
`;

/** Blocks of a language, without those marked `no-run`. */
function blocksOf(markdown: string, language: string): string[] {
  return markdown.matchAll(/^```(\w+)(.*)\n([\s\S]*?)^```$/gm)
    .filter(([, name, marks]) =>
      name === language && !marks!.includes("no-run")
    )
    .map(([, , , text]) => text!).toArray();
}

/** A folder like that of a user: images, a labelled set, weights, a model. */
async function makeUserFolder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  await writeDemoFolder(`${folder}/parts`, 6);
  for (
    const { path, pixels, defect } of demoSet(DEMO_PRODUCTS[0]!, {
      train: 0,
      good: 2,
      defective: 1,
    })
  ) {
    if (defect !== undefined && defect.kind !== DEMO_PRODUCTS[0]!.defects[0]) {
      continue;
    }
    const label = defect === undefined ? "normal" : "abnormal";
    const name = path.slice(path.lastIndexOf("/") + 1);
    await Deno.mkdir(`${folder}/labelled/${label}`, { recursive: true });
    await Deno.writeFile(
      `${folder}/labelled/${label}/${name}`,
      await encodePng(pixels),
    );
  }
  await Deno.symlink(`${ROOT}examples`, `${folder}/examples`);
  await Deno.mkdir(`${folder}/weights`);
  for (const name of ["wide_resnet50_2", "resnet18", "demo"]) {
    await Deno.copyFile(
      `${ROOT}weights/demo.onnx`,
      `${folder}/weights/${name}.onnx`,
    );
  }
  await Deno.symlink(`${ROOT}scripts`, `${folder}/scripts`);
  await Deno.mkdir(`${folder}/bin`);
  await Deno.writeTextFile(`${folder}/bin/deno`, DENO, { mode: 0o755 });
  return folder;
}

async function runBlock(block: string, folder: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", block],
    cwd: folder,
    env: {
      PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
      PATCHCORE_WEIGHTS: `${folder}/weights`,
    },
  }).output();
  const text = new TextDecoder();
  assert(
    success,
    `${block}\n${text.decode(stdout)}\n${text.decode(stderr)}`,
  );
}

/** Steps that run side by side. */
const BESIDE_OTHERS = {
  sanitizeOps: false,
  sanitizeResources: false,
  sanitizeExit: false,
};

/** Runs the blocks of some pages, in a folder of their own. */
async function runPages(
  pages: readonly string[],
  t: Deno.TestContext,
): Promise<void> {
  const folder = await makeUserFolder();
  const step = (name: string, fn: () => Promise<void>) =>
    t.step({ name, ...BESIDE_OTHERS, fn });
  try {
    await runBlock(
      "deno run -A mod.ts fit parts/good --model fitted.safetensors --quiet",
      folder,
    );
    for (const page of pages) {
      const text = await Deno.readTextFile(`${ROOT}${page}`);
      const blocks = blocksOf(text, "sh");
      if (page !== "README.md") {
        await Deno.copyFile(
          `${folder}/fitted.safetensors`,
          `${folder}/parts.safetensors`,
        );
      }
      for (const [i, block] of blocks.entries()) {
        await step(`${page}, block ${i + 1}`, () => runBlock(block, folder));
      }
      for (const [i, program] of blocksOf(text, "ts").entries()) {
        await step(`${page}, program ${i + 1}`, async () => {
          await Deno.writeTextFile(`${folder}/program.ts`, program);
          const config = `--config "${ROOT}deno.json"`;
          await runBlock(`deno check --quiet ${config} program.ts`, folder);
          await runBlock(`deno run -A ${config} program.ts`, folder);
        });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("commands of the documents run as they are written", async (t) => {
  const lanes = [["README.md"], PAGES.filter((page) => page !== "README.md")];
  await Promise.all(lanes.map((pages) =>
    t.step({
      name: pages.join(", "),
      ...BESIDE_OTHERS,
      fn: (t) => runPages(pages, t),
    })
  ));
});

Deno.test("links of the documents lead to files", async () => {
  const pages = [...PAGES, "CONTRIBUTING.md", "weights/README.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs/kernels`)) {
    pages.push(`docs/kernels/${name}`);
  }
  for (const page of [...pages, "docs/README.md"]) {
    const text = await Deno.readTextFile(`${ROOT}${page}`);
    for (const [, target] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target!)) continue;
      await Deno.stat(new URL(target!, `file://${ROOT}${page}`));
    }
  }
});

Deno.test("pages of kernels name benches that exist", async () => {
  const named = new Set<string>();
  for await (const { name } of Deno.readDir(`${ROOT}docs/kernels`)) {
    const page = await Deno.readTextFile(`${ROOT}docs/kernels/${name}`);
    const benches = benchesOf(page);
    assert(benches.length > 0, `${name} has no figures`);
    benches.forEach((bench) => named.add(bench));
  }
  const missing: string[] = [];
  for await (const { name } of Deno.readDir(`${ROOT}bench`)) {
    const [, bench] = /^(\w+)_bench\.ts$/.exec(name) ?? [];
    if (bench !== undefined && !named.delete(bench)) missing.push(bench);
  }
  assertEquals({ missing, unknown: [...named] }, { missing: [], unknown: [] });
});

Deno.test("withTables() replaces what is between its marks", () => {
  const page = "# A\n\n<!-- bench: a b -->\nold\n<!-- end -->\n\nrest\n";
  const made = withTables(
    page,
    (benches) =>
      benches.map((name) => ({ name, group: `over ${name}`, ms: 1.2345 })),
    "On a card.",
  );
  assert(made.startsWith("# A\n\n<!-- bench: a b -->\n"), made);
  assert(made.includes("| over b | `b` | 1.23 |\n\nOn a card."), made);
  assert(!made.includes("old"), made);
  assert(made.endsWith("<!-- end -->\n\nrest\n"), made);
  assertEquals(benchesOf(made), ["a", "b"]);
});

Deno.test("how_it_works.md names files that are there", async () => {
  const text = await Deno.readTextFile(`${ROOT}docs/how_it_works.md`);
  const files = text.matchAll(/`(\w+\/[\w/]+\.ts)`/g).map(([, file]) => file!)
    .toArray();
  assert(files.length > 20);
  for (const file of files) await Deno.stat(`${ROOT}src/core/${file}`);
});
