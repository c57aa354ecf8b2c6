import { assertEquals, assertRejects } from "@std/assert";
import { readListFile } from "../../../src/core/datasets/list_file.ts";
import { MemoryFiles, paths } from "./memory_files.ts";

const HEADER = "path,split,label,mask\n";

function read(
  text: string,
  purpose: "fit" | "predict" | "evaluate" = "evaluate",
) {
  return readListFile(new MemoryFiles(["/d/parts.csv", text]), "/d/parts.csv", {
    purpose,
  });
}

Deno.test("readListFile() takes paths relative to the list, quoted or not", async () => {
  const text = `\ufeff${HEADER}good/a.png,train,OK,\r
"x, y.png",test,"scratch",masks/xy.png\r
/abs/c.png,test,normal,masks/unused.png\r
C:\\d.png,test,1,\r\n`;
  assertEquals(await read(text), [{
    name: "parts",
    train: [{ path: "/d/good/a.png", label: "normal" }],
    test: [
      {
        path: "/d/x, y.png",
        label: "anomalous",
        defect: "scratch",
        mask: { path: "/d/masks/xy.png" },
      },
      { path: "/abs/c.png", label: "normal" },
      { path: "C:\\d.png", label: "anomalous" },
    ],
  }]);
});

Deno.test("readListFile() divides images without a split as each purpose needs", async () => {
  const labelled = "label;PATH\ngood;a.png\ngood;b.png\nbad;c.png\n";
  const split = async (text: string, purpose: "fit" | "predict") => {
    const [category] = await read(text, purpose);
    return [paths(category!.train), paths(category!.test)];
  };
  const [train, test] = await split(labelled, "fit");
  assertEquals([train!.length, test!.length], [1, 2]);
  assertEquals((await split(labelled, "predict"))[1]!.length, 3);
  assertEquals(await split("path\na.png\nb.png\n", "fit"), [
    ["/d/a.png", "/d/b.png"],
    [],
  ]);
});

Deno.test("readListFile() reads several categories, sorted", async () => {
  const text =
    "category,path,split\nnut,a.png,train\nbolt,b.png,train\nnut,c.png,test\n";
  const categories = await read(text);
  assertEquals(categories.map(({ name }) => name), ["bolt", "nut"]);
  assertEquals(paths(categories[1]!.test), ["/d/c.png"]);
});

Deno.test("readListFile() says which line it cannot read", async () => {
  const cases = [
    ["", "expected a header with the column path"],
    [HEADER, "a line for each image, found none"],
    ["image_name,split\na.png,train\n", "line 2 has no path"],
    ["image name,y.\na.png,train\n", 'mask, found ["image name","y."]'],
    [
      `${HEADER}a.png,later,good,\n`,
      'line 2 must be of the split train or test: current value is "later"',
    ],
    [
      `${HEADER}a.png,train,good,\n\nb.png,train,scratch,\n`,
      "line 4 is to train with",
    ],
    [`${HEADER}a.png,train,good,\nb.png,,good,\n`, "line 3 has no split"],
    [`${HEADER}a.png,train\n`, "line 2"],
    [`${HEADER}"a.png,train,good,\n`, "line 2"],
  ] as const;
  for (const [text, message] of cases) {
    await assertRejects(() => read(text), Error, message);
  }
});
