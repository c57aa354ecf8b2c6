import { assertEquals } from "@std/assert";
import {
  baseName,
  findFolder,
  imageNames,
  join,
  listFolder,
  stem,
} from "../../../src/core/datasets/files.ts";
import { MemoryFiles } from "./memory_files.ts";

Deno.test("listFolder() sorts by character code and leaves hidden entries out", async () => {
  const files = new MemoryFiles(
    "/d/b.png",
    "/d/B.png",
    "/d/10.png",
    "/d/9.png",
    "/d/.hidden",
    "/d/z/a.png",
    "/d/.git/a",
  );
  assertEquals(await listFolder(files, "/d"), {
    path: "/d",
    files: ["10.png", "9.png", "B.png", "b.png"],
    folders: ["z"],
  });
});

Deno.test("findFolder() goes down only where there are folders", async () => {
  const files = new MemoryFiles("/d/a/b/c.png", "/d/file");
  const root = await listFolder(files, "/d");
  assertEquals((await findFolder(files, root, "a", "b"))?.path, "/d/a/b");
  assertEquals(await findFolder(files, root, "a", "x"), undefined);
  assertEquals(await findFolder(files, root, "file"), undefined);
});

Deno.test("imageNames() takes image files whatever the case of their extension", () => {
  const names = ["a.PNG", "b.jpg", "c.jpeg", "d.bmp", "e.tif", "f.txt", "png"];
  assertEquals(
    imageNames({ path: "", files: names, folders: [] }),
    ["a.PNG", "b.jpg", "c.jpeg", "d.bmp", "e.tif"],
  );
});

Deno.test("join(), baseName() and stem() take paths apart and together", () => {
  assertEquals(join("/d/", "a", "b"), "/d/a/b");
  assertEquals(join("/", "a"), "/a");
  assertEquals(join("d", "a"), "d/a");
  assertEquals(baseName("/d/bottle//"), "bottle");
  assertEquals(baseName("C:\\d\\bottle"), "bottle");
  assertEquals(stem("000.a.png"), "000.a");
});
