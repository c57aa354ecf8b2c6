import { assertEquals, assertStringIncludes } from "@std/assert";
import { unseenBy } from "../../src/cli/unseen_images.ts";
import type { Category } from "../../src/core/datasets/dataset.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withFiles } from "./with_files.ts";

const FILES = ["good/1", "good/2", "good/3", "bad/1", "else/1"];

function category(root: string): Category {
  const normal = (path: string) => ({
    path: `${root}/good/${path}`,
    label: "normal" as const,
  });
  return {
    name: "part",
    train: [normal("1"), normal("2")],
    test: [{ path: `${root}/bad/1`, label: "anomalous" }, normal("3")],
    isDivided: true,
  };
}

async function tested(
  root: string,
  trained: readonly string[],
  of: Category = category(root),
): Promise<{ names: string[]; told: string }> {
  const fake = new FakeTerminal();
  const { test } = await unseenBy(trained, of, fake.terminal);
  return {
    names: test.map(({ path }) => path.slice(root.length + 1)),
    told: fake.stderr,
  };
}

Deno.test("unseenBy() tests all good images but those that the model was fitted to", async () => {
  await withFiles(FILES, async (root) => {
    await Deno.symlink(`${root}/good`, `${root}/link`);
    const some = await tested(root, [`${root}/link/2`, `${root}/gone`]);
    assertEquals(some.names, ["bad/1", "good/1", "good/3"]);
    assertStringIncludes(some.told, "part: 1 good images are left out");
    const none = await tested(root, [`${root}/else/1`]);
    assertEquals(none, {
      names: ["bad/1", "good/1", "good/2", "good/3"],
      told: "",
    });
    const all = await tested(
      root,
      ["1", "2", "3"].map((i) => `${root}/good/${i}`),
    );
    assertEquals(all.names, ["bad/1"]);
    assertStringIncludes(all.told, "warning: part: 3 good images are left out");
  });
});

Deno.test("unseenBy() leaves a category as it is where nobody can tell, or the dataset says", async () => {
  await withFiles(FILES, async (root) => {
    const gone = await tested(root, [`${root}/else/1`, "/elsewhere/good/1"]);
    assertEquals(gone.names, ["bad/1", "good/3"]);
    assertStringIncludes(gone.told, "so that the 1 good images");
    const { isDivided: _, ...own } = category(root);
    const divided = await tested(root, [`${root}/good/3`], own);
    assertEquals(divided, { names: ["bad/1", "good/3"], told: "" });
  });
});
