import { assertEquals, assertRejects } from "@std/assert";
import type { Files } from "../../../src/core/datasets/files.ts";
import {
  detectLayout,
  readDataset,
} from "../../../src/core/datasets/read_dataset.ts";
import { sharedTest } from "../../testing.ts";
import { MemoryFiles, paths, readOne } from "./memory_files.ts";

const BOTTLE = [
  "/d/bottle/readme.txt",
  "/d/bottle/train/good/001.png",
  "/d/bottle/train/good/000.png",
  "/d/bottle/train/good/.DS_Store",
  "/d/bottle/test/good/000.png",
  "/d/bottle/test/broken_small/000.png",
  "/d/bottle/test/broken_large/001.png",
  "/d/bottle/test/broken_large/000.png",
  "/d/bottle/ground_truth/broken_small/000_mask.png",
  "/d/bottle/ground_truth/broken_large/000_mask.png",
  "/d/bottle/ground_truth/broken_large/001_mask.png",
];

Deno.test("readDataset() reads a category of MVTec AD, kinds and images sorted", async () => {
  const files = new MemoryFiles(...BOTTLE);
  assertEquals(await detectLayout(files, "/d/bottle"), "mvtec");
  const truth = "/d/bottle/ground_truth";
  assertEquals(await readOne(files, "/d/bottle/"), {
    name: "bottle",
    train: [
      { path: "/d/bottle/train/good/000.png", label: "normal" },
      { path: "/d/bottle/train/good/001.png", label: "normal" },
    ],
    test: [
      {
        path: "/d/bottle/test/broken_large/000.png",
        label: "anomalous",
        defect: "broken_large",
        mask: { path: `${truth}/broken_large/000_mask.png` },
      },
      {
        path: "/d/bottle/test/broken_large/001.png",
        label: "anomalous",
        defect: "broken_large",
        mask: { path: `${truth}/broken_large/001_mask.png` },
      },
      {
        path: "/d/bottle/test/broken_small/000.png",
        label: "anomalous",
        defect: "broken_small",
        mask: { path: `${truth}/broken_small/000_mask.png` },
      },
      { path: "/d/bottle/test/good/000.png", label: "normal" },
    ],
  });
});

Deno.test("readDataset() reads all categories of MVTec AD, sorted, other folders left out", async () => {
  const files = new MemoryFiles(
    "/d/license.txt",
    "/d/results/plot.png",
    "/d/zipper/train/good/000.png",
    "/d/zipper/test/good/000.png",
    ...BOTTLE,
  );
  assertEquals(await detectLayout(files, "/d"), "mvtec");
  const categories = await readDataset(files, "/d");
  assertEquals(categories.map(({ name }) => name), ["bottle", "zipper"]);
  assertEquals(categories[0], (await readDataset(files, "/d/bottle"))[0]);
});

Deno.test("readDataset() reads a relative root and a dataset without masks", async () => {
  const files = new MemoryFiles(
    "nuts/train/good/a.jpg",
    "nuts/test/bent/a.jpg",
  );
  const { test } = await readOne(files, "nuts");
  assertEquals(test, [
    { path: "nuts/test/bent/a.jpg", label: "anomalous", defect: "bent" },
  ]);
});

Deno.test("readDataset() says which mask is missing and what was looked for", async () => {
  for (const lost of [BOTTLE.slice(0, -1), BOTTLE.slice(0, -2)]) {
    await assertRejects(
      () => readDataset(new MemoryFiles(...lost), "/d/bottle"),
      Error,
      'looked for "00',
    );
  }
  await assertRejects(
    () => readDataset(new MemoryFiles(...BOTTLE.slice(0, -1)), "/d/bottle"),
    Error,
    'Cannot find the mask of "/d/bottle/test/broken_large/001.png": looked for "001_mask.png" and "001.png" (or another image type) in "/d/bottle/ground_truth/broken_large"',
  );
});

Deno.test("readDataset() says where it looked for images", async () => {
  const cases: [string[], string][] = [
    [["/d/train/good/a.txt"], '"/d/train/good", found none'],
    [["/d/train/good/a.png"], '"/d/test/*", found none'],
    [["/d/normal/a.txt", "/d/abnormal/a.png"], '"/d/normal", found none'],
    [["/d/normal/a.png", "/d/abnormal/a.txt"], '"/d/abnormal", found none'],
    [["/d/MT_Free/Imgs/a.txt"], '"MT_Free/Imgs/*.jpg", found none'],
    [["/d/MT_Free/Imgs/a.jpg"], '"MT_*/Imgs/*.jpg", found none'],
  ];
  for (const [paths, message] of cases) {
    await assertRejects(
      () => readDataset(new MemoryFiles(...paths), "/d"),
      Error,
      message,
    );
  }
});

Deno.test("readDataset() lists all layouts when it knows none", async () => {
  const files = new MemoryFiles("/d/cats/a.png", "/d/dogs/a.png");
  assertEquals(await detectLayout(files, "/d"), undefined);
  await assertRejects(
    () => readDataset(files, "/d"),
    Error,
    'or "normal" and "abnormal"; found folders "cats", "dogs"',
  );
  await assertRejects(
    () => readDataset(new MemoryFiles("/d/a.png"), "/d"),
    Error,
    "found no folders",
  );
});

Deno.test("readDataset() reads BTAD with masks of another image type", async () => {
  const files = new MemoryFiles(
    "/b/01/train/ok/0001.bmp",
    "/b/01/train/ok/0000.bmp",
    "/b/01/test/ok/0000.bmp",
    "/b/01/test/ko/0000.bmp",
    "/b/01/ground_truth/ko/0000.png",
    "/b/03/train/ok/0000.bmp",
    "/b/03/test/ko/0000.bmp",
    "/b/03/ground_truth/ko/0000.bmp",
  );
  assertEquals(await detectLayout(files, "/b"), "btad");
  const [first, third] = await readDataset(files, "/b");
  assertEquals(first!.name, "01");
  assertEquals(paths(first!.train), [
    "/b/01/train/ok/0000.bmp",
    "/b/01/train/ok/0001.bmp",
  ]);
  assertEquals(first!.test, [
    {
      path: "/b/01/test/ko/0000.bmp",
      label: "anomalous",
      defect: "ko",
      mask: { path: "/b/01/ground_truth/ko/0000.png" },
    },
    { path: "/b/01/test/ok/0000.bmp", label: "normal" },
  ]);
  assertEquals(third!.test[0]!.mask, {
    path: "/b/03/ground_truth/ko/0000.bmp",
  });
});

function tiles(): string[] {
  const free = Array.from(
    { length: 25 },
    (_, i) => `/m/MT_Free/Imgs/exp_${String(i).padStart(2, "0")}`,
  );
  return [
    ...free.flatMap((path) => [`${path}.jpg`, `${path}.png`]),
    "/m/MT_Crack/Imgs/exp_7.jpg",
    "/m/MT_Crack/Imgs/exp_7.png",
    "/m/MT_Blowhole/Imgs/exp_9.jpg",
    "/m/MT_Blowhole/Imgs/exp_9.png",
    "/m/README.md",
  ];
}

Deno.test("readDataset() reads Magnetic Tile Defects and tests a fifth of the normal tiles", async () => {
  const files = new MemoryFiles(...tiles());
  assertEquals(await detectLayout(files, "/m"), "mtd");
  const { train, test } = await readOne(files, "/m");
  assertEquals(test.slice(0, 2), [
    {
      path: "/m/MT_Blowhole/Imgs/exp_9.jpg",
      label: "anomalous",
      defect: "Blowhole",
      mask: { path: "/m/MT_Blowhole/Imgs/exp_9.png" },
    },
    {
      path: "/m/MT_Crack/Imgs/exp_7.jpg",
      label: "anomalous",
      defect: "Crack",
      mask: { path: "/m/MT_Crack/Imgs/exp_7.png" },
    },
  ]);
  const normal = test.slice(2);
  assertEquals(normal.length, 5);
  assertEquals(train.length, 20);
  assertEquals(paths(train), paths(train).sort());
  assertEquals(paths(normal), paths(normal).sort());
  assertEquals(new Set([...paths(train), ...paths(normal)]).size, 25);
});

Deno.test("readDataset() holds out the same images for the same seed only", async () => {
  const files = new MemoryFiles(...tiles());
  const held = async (seed: number): Promise<string> => {
    const [category] = await readDataset(files, "/m", { seed });
    return paths(category!.test).join();
  };
  assertEquals(await held(3), await held(3));
  assertEquals(await held(3) === await held(4), false);
  const [half] = await readDataset(files, "/m", { holdout: 0.5 });
  assertEquals(half!.train.length, 13);
  await assertRejects(
    () => readDataset(files, "/m", { holdout: 1 }),
    RangeError,
    "current value is 1",
  );
});

Deno.test("readDataset() says which tile has no mask", async () => {
  const files = new MemoryFiles(
    ...tiles().filter((path) => !path.endsWith("exp_7.png")),
  );
  await assertRejects(
    () => readDataset(files, "/m"),
    Error,
    'Cannot find the mask of "/m/MT_Crack/Imgs/exp_7.jpg": looked for "exp_7.png" beside it',
  );
});

Deno.test("readDataset() reads plain folders with kinds of defect and masks", async () => {
  const normal = Array.from({ length: 10 }, (_, i) => `/p/normal/${i}.png`);
  const files = new MemoryFiles(
    ...normal,
    "/p/abnormal/x.png",
    "/p/abnormal/scratch/y.jpeg",
    "/p/masks/x.png",
    "/p/masks/scratch/y_mask.png",
  );
  assertEquals(await detectLayout(files, "/p"), "folders");
  const { train, test } = await readOne(files, "/p");
  assertEquals(train.length, 8);
  assertEquals(test.slice(0, 2), [
    {
      path: "/p/abnormal/x.png",
      label: "anomalous",
      mask: { path: "/p/masks/x.png" },
    },
    {
      path: "/p/abnormal/scratch/y.jpeg",
      label: "anomalous",
      defect: "scratch",
      mask: { path: "/p/masks/scratch/y_mask.png" },
    },
  ]);
  assertEquals(
    [...paths(train), ...paths(test.slice(2))].sort(),
    normal,
  );
  const bare = new MemoryFiles("/p/normal/a.png", "/p/abnormal/b.png");
  const category = await readOne(bare, "/p");
  assertEquals(paths(category.train), ["/p/normal/a.png"]);
  assertEquals(category.test, [
    { path: "/p/abnormal/b.png", label: "anomalous" },
  ]);
});

Deno.test("readDataset() says which abnormal image has no mask", async () => {
  const files = new MemoryFiles(
    "/p/normal/a.png",
    "/p/abnormal/dent/b.png",
    "/p/masks/c.png",
  );
  await assertRejects(
    () => readDataset(files, "/p"),
    Error,
    'Cannot find the mask of "/p/abnormal/dent/b.png": looked for "b_mask.png" and "b.png" (or another image type) in "/p/masks/dent"',
  );
});

sharedTest(
  "readDataset() reads the published counts of MVTec AD transistor",
  async (_, shared) => {
    const files: Files = {
      list: (path) => Deno.readDir(path),
      read: (path) => Deno.readFile(path),
    };
    const { train, test } = (await readDataset(
      files,
      shared("data", "transistor_256"),
    ))[0]!;
    const anomalous = test.filter(({ label }) => label === "anomalous");
    assertEquals([train.length, test.length, anomalous.length], [213, 100, 40]);
    for (const { mask } of anomalous) {
      assertEquals((await Deno.stat(mask!.path)).isFile, true);
    }
  },
);
