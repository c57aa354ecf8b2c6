import { assertEquals } from "@std/assert";
import { resultNames } from "../../src/cli/result_names.ts";

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

const AWKWARD: [string, string[], string[]][] = [
  ["parents", ["../0.png", "0.png", "../../0.png"], ["up/0", "0", "up/up/0"]],
  ["extensions twice", ["x.jpg", "x.png", "x.png.png"], [
    "x.jpg",
    "x.png",
    "x.png.png",
  ]],
  ["case", ["a/X.png", "a/x.png", "a/x.PNG"], ["X", "x-2", "x-3"]],
  ["case of folders", ["A/0.png", "a/0.png"], ["A/0", "a/0-2"]],
  ["accents", ["\u00e9.png", "e\u0301.png"], ["\u00e9", "e\u0301-2"]],
  ["drives", ["C:\\in\\0.png", "D:\\in\\0.png"], ["C_/in/0", "D_/in/0"]],
  ["numbers taken", ["B.png", "b.png", "b-2.png"], ["B", "b-3", "b-2"]],
  ["folders like results", ["x.jpg", "x.npy/1.jpg"], ["x", "x.npy_/1"]],
  ["names of devices", ["con.jpg", "a?.jpg"], ["con_", "a_"]],
  ["hidden", [".png", "..png"], [".png", "_"]],
];

for (const [what, paths, names] of AWKWARD) {
  Deno.test(`resultNames() keeps ${what} apart`, () => {
    assertEquals(resultNames(paths), names);
  });
}

Deno.test("resultNames() never gives one name twice, without regard to case", () => {
  let state = 7;
  const draw = (most: number): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(state / 2 ** 31 * most);
  };
  const parts = ["a", "A", "..", "a.png", "A.PNG", "a.png.png", "a-2", "up"];
  for (let round = 0; round < 300; round++) {
    const paths = new Set(
      Array.from(
        { length: 12 },
        () =>
          Array.from({ length: 1 + draw(3) }, () => parts[draw(parts.length)])
            .join("/"),
      ),
    );
    const names = resultNames([...paths]);
    const folded = new Set(names.map((name) => name.toLowerCase()));
    assertEquals(folded.size, paths.size, JSON.stringify([...paths]));
    assertEquals(names.some((name) => name.split("/").includes("..")), false);
  }
});

Deno.test("resultNames() leaves room for extensions in long names", () => {
  const long = "\u00e9".repeat(125);
  for (const name of resultNames([`${long}a.png`, `${long}b.png`])) {
    assertEquals(new TextEncoder().encode(`${name}.tiff`).length <= 255, true);
  }
});
