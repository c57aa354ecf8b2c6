import { assertEquals, assertRejects } from "@std/assert";
import {
  DISK,
  FileError,
  readFile,
  writeAtomically,
} from "../../src/cli/disk.ts";
import { withFiles } from "./with_files.ts";

Deno.test("DISK.list() names a folder that cannot be read", async () => {
  await assertRejects(
    () => Array.fromAsync(DISK.list("/nowhere")),
    FileError,
    'Cannot read folder "/nowhere": it does not exist',
  );
});

Deno.test("writeAtomically() leaves nothing behind when it fails", async () => {
  await withFiles(["file", "folder/x"], async (root) => {
    for (const path of [`${root}/file/below`, `${root}/folder`]) {
      await assertRejects(
        () => writeAtomically(path, new Uint8Array(3)),
        FileError,
        `Cannot write "${path}"`,
      );
    }
    const names = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
    assertEquals(names, ["file", "folder"]);
  });
});

Deno.test("readFile() says why a file cannot be read", async () => {
  await withFiles(["folder/x"], async (root) => {
    await assertRejects(
      () => readFile(`${root}/none`),
      FileError,
      `Cannot read "${root}/none": it does not exist`,
    );
    await assertRejects(() => readFile(`${root}/folder`), FileError);
  });
});

Deno.test("readFile() refuses devices and files that are too large", async () => {
  await withFiles(["ten bytes!"], async (root) => {
    const path = `${root}/ten bytes!`;
    assertEquals((await readFile(path, 10)).length, 10);
    await assertRejects(
      () => readFile(path, 9),
      FileError,
      `Cannot read "${path}": it has 10 bytes, at most 9 are read`,
    );
  });
  await assertRejects(() => readFile("/dev/zero"), FileError, "it is a device");
});
