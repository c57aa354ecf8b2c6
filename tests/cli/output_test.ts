import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import {
  noteReplaced,
  OutputFolder,
  refuseExisting,
  writeOutput,
} from "../../src/cli/output.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withFiles } from "./with_files.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("OutputFolder.open() makes a folder and leaves nothing of the run before", async () => {
  await withFiles([], async (root) => {
    const out = `${root}/a/out`;
    {
      using folder = await OutputFolder.open(out);
      const path = await folder.write("maps/a/1.npy", new Uint8Array([1, 2]));
      assertEquals(path, `${out}/maps/a/1.npy`);
      assertEquals(await Deno.readFile(path), new Uint8Array([1, 2]));
      await folder.write("masks/1.png", "1");
      await folder.write("report.html", "page");
      await folder.record({ finished: true });
    }
    await Deno.writeTextFile(`${out}/masks/mine.png`, "of the user");
    await Deno.writeTextFile(`${out}/notes.txt`, "of the user");
    using again = await OutputFolder.open(out);
    assertEquals(again.replaced, 3);
    assertEquals(namesIn(out), [
      ".files",
      ".lock",
      "masks",
      "notes.txt",
      "run.json",
    ]);
    assertEquals(namesIn(`${out}/masks`), ["mine.png"]);
  });
});

Deno.test("OutputFolder.open() says that a run is not finished before it removes its files", async () => {
  await withFiles([], async (root) => {
    const out = `${root}/out`;
    {
      using folder = await OutputFolder.open(out);
      for (const name of ["1.png", "2.png"]) await folder.write(name, "x");
      await folder.record({ finished: true });
    }
    await Deno.remove(`${out}/2.png`);
    await Deno.mkdir(`${out}/2.png/of the user`, { recursive: true });
    await assertRejects(() => OutputFolder.open(out), FileError, "2.png");
    const run = JSON.parse(await Deno.readTextFile(`${out}/run.json`));
    assertEquals(run.finished, false);
  });
});

Deno.test("noteReplaced() tells what is gone in a line, if anything is", async () => {
  await withFiles([], async (root) => {
    const told: string[] = [];
    for (let run = 0; run < 3; run++) {
      const fake = new FakeTerminal();
      using folder = await OutputFolder.open(`${root}/out`);
      noteReplaced(folder, fake.terminal);
      for (let i = 0; i <= run; i++) await folder.write(`${i}.png`, "x");
      told.push(fake.stderr);
    }
    assertEquals(told, [
      "",
      `"${root}/out" held the results of an earlier run: its 1 file was removed\n`,
      `"${root}/out" held the results of an earlier run: its 2 files were removed\n`,
    ]);
  });
});

Deno.test("OutputFolder.open() removes results of versions that kept no list", async () => {
  const old = ["maps/1.npy", "predictions.jsonl", "overlays/a/1.png"];
  const files = old.flatMap((name) => [`out/${name}`, `mixed/${name}`]);
  await withFiles([...files, "mixed/notes.txt"], async (root) => {
    for (const name of ["out", "mixed"]) {
      const run = '{"generator":"@patchcore/webgpu"}';
      await Deno.writeTextFile(`${root}/${name}/run.json`, run);
      (await OutputFolder.open(`${root}/${name}`))[Symbol.dispose]();
    }
    assertEquals(namesIn(`${root}/out`), [".files", "run.json"]);
    assertEquals(namesIn(`${root}/mixed/maps`), ["1.npy"]);
  });
});

Deno.test("OutputFolder.open() removes nothing outside, whatever its list says", async () => {
  await withFiles(["mine.txt", "out/x"], async (root) => {
    const lines = ["../mine.txt", `${root}/mine.txt`, "maps/../../mine.txt", 7]
      .map((file) => `${JSON.stringify({ file })}\n`);
    const run = '{"generator":"@patchcore/webgpu"}';
    await Deno.writeTextFile(`${root}/out/run.json`, run);
    await Deno.writeTextFile(
      `${root}/out/.files`,
      `${lines.join("")}null\n{"file":"x"}\n{"file":`,
    );
    using _folder = await OutputFolder.open(`${root}/out`);
    assertEquals(namesIn(root), ["mine.txt", "out"]);
    assertEquals(namesIn(`${root}/out`), [".files", ".lock", "run.json"]);
  });
});

Deno.test("OutputFolder.open() lets one run write at a time, and takes over from a dead one", async () => {
  await withFiles(["left/.lock", "left/.files"], async (root) => {
    const out = `${root}/out`;
    {
      using _first = await OutputFolder.open(out);
      await assertRejects(
        () => OutputFolder.open(out, { overwrite: true }),
        FileError,
        "another run is writing there",
      );
    }
    for (const path of [out, `${root}/left`]) {
      using folder = await OutputFolder.open(path);
      assertEquals(folder.path, path);
    }
    assertEquals(namesIn(out), [".files", "run.json"]);
  });
});

Deno.test("OutputFolder keeps lines as they are written", async () => {
  await withFiles([], async (root) => {
    using folder = await OutputFolder.open(`${root}/out`);
    using lines = await folder.writeLines("a.jsonl", ["1\n"]);
    lines.add("2\n");
    assertEquals(await Deno.readTextFile(`${root}/out/a.jsonl`), "1\n2\n");
  });
});

Deno.test("OutputFolder.open() keeps files and their images when a run is resumed", async () => {
  await withFiles([], async (root) => {
    const out = `${root}/out`;
    {
      using folder = await OutputFolder.open(out);
      await folder.write("maps/1.npy", "1", "in/1.png");
      await folder.write("masks/1.png", "1", "in/1.png");
      await folder.record({ finished: false, command: "predict" });
      const stray = `${out}/maps/.patchcore-00000000.tmp`;
      await Deno.writeTextFile(stray, "of a dead process");
    }
    {
      using folder = await OutputFolder.open(out, { resume: true });
      assertEquals(folder.earlier?.["command"], "predict");
      assertEquals(folder.earlierFiles().get("in/1.png"), [
        "maps/1.npy",
        "masks/1.png",
      ]);
      assertEquals(namesIn(`${out}/masks`), ["1.png"]);
    }
    using _folder = await OutputFolder.open(out);
    assertEquals(namesIn(out), [".files", ".lock", "run.json"]);
  });
});

Deno.test("OutputFolder.open() refuses folders with other files unless asked", async () => {
  await withFiles(["out/thesis.doc", "odd/run.json"], async (root) => {
    for (const out of [`${root}/out`, `${root}/odd`]) {
      await assertRejects(
        () => OutputFolder.open(out),
        FileError,
        "it holds other files",
      );
    }
    const out = `${root}/out`;
    using _folder = await OutputFolder.open(out, { overwrite: true });
    assertEquals(
      await Deno.readTextFile(`${out}/thesis.doc`),
      "out/thesis.doc",
    );
  });
});

Deno.test("OutputFolder.open() refuses input folders and what lies in them", async () => {
  await withFiles(["in/1.png", "inside/1.png"], async (root) => {
    const inputs = [`${root}/in`];
    for (const out of ["in", "in/", "in/out", "x/../in/new/out"]) {
      await assertRejects(
        () => OutputFolder.open(`${root}/${out}`, { inputs, overwrite: true }),
        FileError,
        "it lies in the input folder",
      );
    }
    assertEquals([...Deno.readDirSync(`${root}/in`)].length, 1);
    using _folder = await OutputFolder.open(`${root}/inside/out`, { inputs });
    await assertRejects(
      () => OutputFolder.open(`${root}/in/1.png`),
      FileError,
      "it is a file",
    );
  });
});

Deno.test("writeOutput() replaces a file only when asked", async () => {
  await withFiles(["m.safetensors"], async (root) => {
    const path = `${root}/m.safetensors`;
    await assertRejects(
      () => writeOutput(path, "new", false),
      FileError,
      "it exists",
    );
    assertEquals(await Deno.readTextFile(path), "m.safetensors");
    await writeOutput(path, "new", true);
    assertEquals(await Deno.readTextFile(path), "new");
    await assertRejects(
      () => writeOutput(root, "x", true),
      FileError,
      "folder",
    );
  });
});

Deno.test("writeOutput() and refuseExisting() tell early that a file cannot be written", async () => {
  await withFiles(["file", "dir/x"], async (root) => {
    const cases = [
      [`${root}/dir`, "it is a folder"],
      [`${root}/file/m.safetensors`, "Not a directory"],
      ["/proc/m.safetensors", "Cannot write"],
    ] as const;
    for (const [path, reason] of cases) {
      await assertRejects(() => refuseExisting(path, true), FileError, reason);
    }
    await refuseExisting(`${root}/new/deep/m.safetensors`, false);
    await refuseExisting(`${root}/dir/m.safetensors`, false);
    const names = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
    assertEquals(names, ["dir", "file"]);
  });
});
