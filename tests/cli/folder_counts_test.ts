import { assertEquals } from "@std/assert";
import {
  counted,
  folderOf,
  relativeFolders,
} from "../../src/cli/folder_counts.ts";

Deno.test.each([
  ["parts", "parts/a.png", "."],
  ["parts", "parts/good/a.png", "good"],
  ["parts/", "parts/x/good/a.png", "x/good"],
  [".", "./good/a.png", "good"],
  ["/", "/a.png", "."],
  ["parts", "/else/a.png", "/else"],
  ["parts", "/a.png", "/"],
  ["C:\\parts", "C:\\parts/good/a.png", "good"],
  ["C:\\parts\\", "C:\\parts\\x\\good\\a.png", "x\\good"],
  ["C:/parts", "C:\\parts\\good\\a.png", "good"],
])("folderOf(%j, %j) is %j", (root, path, folder) => {
  assertEquals(folderOf(root, path), folder);
});

Deno.test("relativeFolders() takes both separators", () => {
  assertEquals(relativeFolders("p", "p/x/good/a.png"), ["x", "good"]);
  const onWindows = relativeFolders("C:\\p", "C:\\p\\x\\good\\a.png");
  assertEquals(onWindows, ["x", "good"]);
  assertEquals(relativeFolders("p", "p/a.png"), []);
});

Deno.test("counted() names folders and how many images they have", () => {
  const paths = ["p/a.png", "p/good/b.png", "p/good/c.png"];
  assertEquals(counted("p", paths), "itself 1, good 2");
});
