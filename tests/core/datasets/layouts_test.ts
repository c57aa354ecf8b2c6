import { assertEquals, assertRejects } from "@std/assert";
import {
  detectLayout,
  readDataset,
} from "../../../src/core/datasets/read_dataset.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { MemoryFiles, paths, readOne } from "./memory_files.ts";

const LOCO = [
  "/l/juice/train/good/000.png",
  "/l/juice/validation/good/000.png",
  "/l/juice/test/good/000.png",
  "/l/juice/test/logical_anomalies/000.png",
  "/l/juice/test/structural_anomalies/001.png",
  "/l/juice/ground_truth/logical_anomalies/000/000.png",
  "/l/juice/ground_truth/logical_anomalies/000/001.png",
  "/l/juice/ground_truth/structural_anomalies/001/000.png",
];

Deno.test("readDataset() reads MVTec LOCO AD with several masks an image", async () => {
  const files = new MemoryFiles(...LOCO);
  assertEquals(await detectLayout(files, "/l/juice"), "loco");
  assertEquals((await readOne(files, "/l")).test, [
    { path: "/l/juice/test/good/000.png", label: "normal" },
    {
      path: "/l/juice/test/logical_anomalies/000.png",
      label: "anomalous",
      defect: "logical_anomalies",
      mask: {
        path: "/l/juice/ground_truth/logical_anomalies/000/000.png",
        nonZero: true,
        others: ["/l/juice/ground_truth/logical_anomalies/000/001.png"],
      },
    },
    {
      path: "/l/juice/test/structural_anomalies/001.png",
      label: "anomalous",
      defect: "structural_anomalies",
      mask: {
        path: "/l/juice/ground_truth/structural_anomalies/001/000.png",
        nonZero: true,
      },
    },
  ]);
  await assertRejects(
    () => readDataset(new MemoryFiles(...LOCO.slice(0, -1)), "/l"),
    Error,
    'looked for images in "/l/juice/ground_truth/structural_anomalies/001", found none',
  );
});

async function grey(...levels: number[]): Promise<Uint8Array> {
  return await encodePng({
    width: levels.length,
    height: 1,
    grey: Uint8Array.from(levels),
  });
}

Deno.test("readDataset() tells normal images of KolektorSDD by their black masks", async () => {
  const [black, marked] = [await grey(0, 0), await grey(0, 1)];
  const files = new MemoryFiles(
    "/k/kos01/Part0.jpg",
    ["/k/kos01/Part0_label.bmp", black],
    "/k/kos01/Part1.jpg",
    ["/k/kos01/Part1_label.bmp", marked],
    "/k/kos02/Part0.jpg",
    ["/k/kos02/Part0_label.bmp", black],
  );
  assertEquals(await detectLayout(files, "/k"), "kolektor");
  const { train, test } = await readOne(files, "/k");
  assertEquals(test[0], {
    path: "/k/kos01/Part1.jpg",
    label: "anomalous",
    mask: { path: "/k/kos01/Part1_label.bmp", nonZero: true },
  });
  assertEquals([...paths(train), ...paths(test.slice(1))].sort(), [
    "/k/kos01/Part0.jpg",
    "/k/kos02/Part0.jpg",
  ]);
  await assertRejects(
    () => readDataset(new MemoryFiles("/k/a.jpg", "/k/b_label.bmp"), "/k"),
    Error,
    'looked for "a_label.bmp" beside it',
  );
});

Deno.test("readDataset() leaves defective images of KolektorSDD2's train out", async () => {
  const [black, marked] = [await grey(0), await grey(255)];
  const files = new MemoryFiles(
    "/k/train/1.png",
    ["/k/train/1_GT.png", black],
    "/k/train/2.png",
    ["/k/train/2_GT.png", marked],
    "/k/test/3.png",
    ["/k/test/3_GT.png", marked],
    "/k/test/4.png",
    ["/k/test/4_GT.png", black],
  );
  assertEquals(await detectLayout(files, "/k"), "kolektor2");
  const { train, test } = await readOne(files, "/k");
  assertEquals(paths(train), ["/k/train/1.png"]);
  assertEquals(test.map(({ label }) => label), ["anomalous", "normal"]);
});

Deno.test("readDataset() reads OK and NG, and classes in train and test", async () => {
  const files = new MemoryFiles(
    "/p/OK/0.png",
    "/p/OK/1.png",
    "/p/NG/2.png",
    "/c/train/ok_front/0.png",
    "/c/train/def_front/1.png",
    "/c/test/ok_front/2.png",
    "/c/test/def_front/3.png",
  );
  assertEquals(await detectLayout(files, "/p"), "folders");
  assertEquals(paths((await readOne(files, "/p")).train).length, 1);
  const { train, test } = await readOne(files, "/c");
  assertEquals(paths(train), ["/c/train/ok_front/0.png"]);
  assertEquals(test, [
    {
      path: "/c/test/def_front/3.png",
      label: "anomalous",
      defect: "def_front",
    },
    { path: "/c/test/ok_front/2.png", label: "normal" },
  ]);
});

Deno.test("readDataset() tests what is to validate where there is no test", async () => {
  const files = new MemoryFiles(
    "/c/Train/normal/0.png",
    "/c/Train/broken/1.png",
    "/c/Val/normal/2.png",
    "/c/Val/broken/3.png",
  );
  const { train, test } = await readOne(files, "/c");
  assertEquals(paths(train), ["/c/Train/normal/0.png"]);
  assertEquals(test.map(({ label }) => label), ["anomalous", "normal"]);
});

Deno.test("readDataset() reads Magnetic Tile Defects whatever the case", async () => {
  const files = new MemoryFiles(
    "/m/mt_free/imgs/a.JPG",
    "/m/mt_free/imgs/b.jpg",
    "/m/mt_crack/imgs/c.jpg",
    "/m/mt_crack/imgs/C.PNG",
  );
  const { train, test } = await readOne(files, "/m");
  assertEquals([train.length, test.length], [1, 2]);
  assertEquals(test[0]!.mask, { path: "/m/mt_crack/imgs/C.PNG" });
});

Deno.test("readDataset() goes on after a category that cannot be read", async () => {
  const files = new MemoryFiles(
    "/d/a/train/good/0.png",
    "/d/a/test/bad/0.png",
    "/d/a/ground_truth/bad/1.png",
    "/d/b/train/good/0.png",
    "/d/b/test/good/0.png",
  );
  const errors: string[] = [];
  const categories = await readDataset(files, "/d", {
    onCategoryError: (name, { message }) => errors.push(`${name}: ${message}`),
  });
  assertEquals(categories.map(({ name }) => name), ["b"]);
  assertEquals(errors.length, 1);
  assertEquals(errors[0]!.startsWith('a: Cannot find the mask of "'), true);
  const fit = await readDataset(files, "/d", { purpose: "fit" });
  assertEquals(fit.length, 2);
});
