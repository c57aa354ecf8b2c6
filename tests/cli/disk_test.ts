import { assertEquals, assertRejects } from "@std/assert";
import {
  DISK,
  FileError,
  readFile,
  readFilePart,
  realPath,
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

Deno.test("writeAtomically() removes what dead processes left, not what living ones write", async () => {
  await withFiles(
    ["a/.patchcore-01234567.tmp", "a/.patchcore-89abcdef.tmp", "a/x.tmp"],
    async (root) => {
      const held = `${root}/a/.patchcore-89abcdef.tmp`;
      const options = ["--allow-write", "--allow-read"];
      const code = `const file = await Deno.open("${held}", { write: true });
        await file.lock(true);
        console.log("held");
        await new Promise((resolve) => setTimeout(resolve, 60_000));`;
      const other = new Deno.Command(Deno.execPath(), {
        args: ["run", "--ext=js", ...options, "-"],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const writer = other.stdin.getWriter();
      await writer.write(new TextEncoder().encode(code));
      await writer.close();
      const reader = other.stdout.getReader();
      await reader.read();
      await writeAtomically(`${root}/a/new`, new Uint8Array(3));
      const names = [...Deno.readDirSync(`${root}/a`)].map(({ name }) => name);
      assertEquals(names.sort(), [".patchcore-89abcdef.tmp", "new", "x.tmp"]);
      other.kill("SIGKILL");
      await other.status;
      await reader.cancel();
    },
  );
});

Deno.test("writeAtomically() writes names as long as the system allows", async () => {
  await withFiles([], async (root) => {
    const path = `${root}/${"n".repeat(255)}`;
    await writeAtomically(path, new Uint8Array(3));
    assertEquals((await Deno.readFile(path)).length, 3);
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

Deno.test("realPath() is the same for all spellings of a path, whether it exists or not", async () => {
  await withFiles(["folder/x"], async (root) => {
    await Deno.symlink(`${root}/folder`, `${root}/link`);
    const places = (...names: string[]) =>
      Promise.all(names.map((name) => realPath(`${root}/${name}`)));
    assertEquals(await places("folder/x", "link/x", "folder/../link/./x"), [
      ...Array(3).fill(`${root}/folder/x`),
    ]);
    assertEquals(await places("folder/a/b", "link/a/b", "link/x/../a//b"), [
      ...Array(3).fill(`${root}/folder/a/b`),
    ]);
    const long = "x".repeat(5000);
    assertEquals(await realPath(`${root}/./${long}`), `${root}/${long}`);
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
