import { assertEquals, assertRejects } from "@std/assert";
import {
  DISK,
  FileError,
  readFile,
  readFilePart,
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

Deno.test("readFilePart() reads as much as a file has", async () => {
  await withFiles(["folder/x"], async (root) => {
    const path = `${root}/data`;
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    await Deno.writeFile(path, bytes);
    const part = (offset: number, length?: number) =>
      readFilePart(path, offset, length);
    assertEquals(await part(0), bytes);
    assertEquals(await part(5, 3), bytes.subarray(5, 8));
    assertEquals(await part(1000, 250_000), bytes.subarray(1000, 251_000));
    assertEquals(await part(299_998, 1000), bytes.subarray(299_998));
    assertEquals((await part(400_000, 8)).length, 0);
    await assertRejects(
      () => readFilePart(`${root}/folder`, 0, 8),
      FileError,
      "it is no file",
    );
    await assertRejects(
      () => readFilePart("/dev/zero", 0, 8),
      FileError,
      "it is no file",
    );
  });
});
