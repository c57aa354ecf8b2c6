import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import {
  OutputFolder,
  refuseExisting,
  resultNames,
  writeOutput,
} from "../../src/cli/output.ts";
import { withFiles } from "./with_files.ts";

Deno.test("OutputFolder.open() makes a folder and takes its own over again", async () => {
  await withFiles([], async (root) => {
    const out = `${root}/a/out`;
    const folder = await OutputFolder.open(out, []);
    const path = await folder.write("maps/1.npy", new Uint8Array([1, 2]));
    assertEquals(path, `${out}/maps/1.npy`);
    assertEquals(await Deno.readFile(path), new Uint8Array([1, 2]));
    await folder.record({ finished: true });
    await OutputFolder.open(out, []);
    const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
    assertEquals(names, ["maps", "run.json"]);
  });
});

Deno.test("OutputFolder.open() refuses folders with other files unless asked", async () => {
  await withFiles(["out/thesis.doc", "odd/run.json"], async (root) => {
    for (const out of [`${root}/out`, `${root}/odd`]) {
      await assertRejects(
        () => OutputFolder.open(out, []),
        FileError,
        "it holds other files",
      );
    }
    await OutputFolder.open(`${root}/out`, [], true);
    assertEquals(
      await Deno.readTextFile(`${root}/out/thesis.doc`),
      "out/thesis.doc",
    );
  });
});

Deno.test("OutputFolder.open() refuses input folders and what lies in them", async () => {
  await withFiles(["in/1.png", "inside/1.png"], async (root) => {
    for (const out of ["in", "in/", "in/out", "x/../in/new/out"]) {
      await assertRejects(
        () => OutputFolder.open(`${root}/${out}`, [`${root}/in`], true),
        FileError,
        "it lies in the input folder",
      );
    }
    assertEquals([...Deno.readDirSync(`${root}/in`)].length, 1);
    await OutputFolder.open(`${root}/inside/out`, [`${root}/in`]);
    await assertRejects(
      () => OutputFolder.open(`${root}/in/1.png`, []),
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

Deno.test("resultNames() drops what all paths share and keeps names apart", () => {
  assertEquals(resultNames(["/d/test/good/0.png", "/d/test/bad/0.png"]), [
    "good/0",
    "bad/0",
  ]);
  assertEquals(resultNames(["/d/0.png"]), ["0"]);
  assertEquals(resultNames(["a/0.png", "a/0.jpg", "a/1.png"]), [
    "0.png",
    "0.jpg",
    "1",
  ]);
  assertEquals(resultNames(["../x/0.png", "./y/1.png"]), ["x/0", "y/1"]);
  assertEquals(resultNames([]), []);
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
