import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import { listImages } from "../../src/cli/files.ts";
import { withFiles } from "./with_files.ts";

Deno.test("listImages() takes files as given and folders sorted with all below", async () => {
  await withFiles(
    [
      "b/2.JPG",
      "b/1.png",
      "b/a/0.webp",
      "b/notes.txt",
      "b/.hidden.png",
      "x.dat",
    ],
    async (root) => {
      const { paths, notes } = await listImages(
        [`${root}/x.dat`, `${root}/b/`, `${root}/b/1.png`],
        "predict",
      );
      assertEquals(paths, [
        `${root}/x.dat`,
        `${root}/b/1.png`,
        `${root}/b/2.JPG`,
        `${root}/b/a/0.webp`,
      ]);
      assertEquals(notes, []);
    },
  );
});

const DATASET = [
  "bottle/train/good/0.png",
  "bottle/test/good/1.png",
  "bottle/test/crack/2.png",
  "bottle/ground_truth/crack/2_mask.png",
];

Deno.test("listImages() takes the part of a dataset that a command needs", async () => {
  await withFiles(DATASET, async (root) => {
    const dataset = `${root}/bottle`;
    const fit = await listImages([dataset], "fit");
    assertEquals(fit.paths, [`${dataset}/train/good/0.png`]);
    assertEquals(fit.notes, [
      `"${dataset}" is a dataset: taking its 1 train images`,
    ]);
    const predict = await listImages([dataset], "predict");
    assertEquals(predict.paths, [
      `${dataset}/test/crack/2.png`,
      `${dataset}/test/good/1.png`,
    ]);
    assertEquals([...predict.truths.values()], [
      { truth: "anomalous", group: "crack" },
      { truth: "normal", group: "normal" },
    ]);
  });
});

Deno.test("listImages() refuses to fit several categories at once", async () => {
  const two = [...DATASET, "can/train/good/0.png", "can/test/good/0.png"];
  await withFiles(two, async (root) => {
    await assertRejects(
      () => listImages([root], "fit"),
      FileError,
      "it holds 2 categories (bottle, can)",
    );
    assertEquals((await listImages([root], "predict")).paths.length, 3);
  });
});

Deno.test("listImages() says what is missing", async () => {
  await withFiles(["empty/notes.txt"], async (root) => {
    await assertRejects(
      () => listImages([`${root}/nothing`], "fit"),
      FileError,
      `Cannot find "${root}/nothing"`,
    );
    await assertRejects(
      () => listImages([`${root}/empty`], "fit"),
      FileError,
      "Cannot find images in",
    );
  });
});

Deno.test("listImages() follows links once", async () => {
  await withFiles(["a/1.png"], async (root) => {
    await Deno.symlink("..", `${root}/a/up`);
    await Deno.symlink("1.png", `${root}/a/2.png`);
    await Deno.symlink("nowhere.png", `${root}/a/3.png`);
    assertEquals((await listImages([`${root}/a`], "fit")).paths, [
      `${root}/a/1.png`,
      `${root}/a/2.png`,
    ]);
  });
});
