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
      assertEquals(notes, [
        `"${root}/b/": taking 3 images (itself 2, a 1)`,
      ]);
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
      `"${dataset}" is a dataset: taking its 1 train images (train/good 1), leaving ground_truth/crack 1, test/crack 1, test/good 1`,
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

Deno.test("listImages() follows links once and takes a file once whatever its spelling", async () => {
  await withFiles(["a/1.png"], async (root) => {
    await Deno.symlink("..", `${root}/a/up`);
    await Deno.symlink("1.png", `${root}/a/2.png`);
    await Deno.symlink("nowhere.png", `${root}/a/3.png`);
    assertEquals((await listImages([`${root}/a`], "fit")).paths, [
      `${root}/a/1.png`,
    ]);
    const spellings = [`${root}/a/../a/1.png`, `${root}/a/1.png`, `${root}/a`];
    assertEquals((await listImages(spellings, "predict")).paths, [
      `${root}/a/../a/1.png`,
    ]);
  });
});

Deno.test("listImages() knows the folders of a dataset whatever their case", async () => {
  for (
    const [train, test, masks] of [
      ["train/Good", "test/Good", "ground_truth"],
      ["TRAIN/OK", "Test/NG", "GROUND_TRUTH"],
      ["Train/normal", "TEST/dent", "masks"],
    ]
  ) {
    await withFiles(
      [`p/${train}/0.png`, `p/${test}/0.png`, `p/${masks}/dent/0_mask.png`],
      async (root) => {
        const { paths } = await listImages([`${root}/p`], "fit");
        assertEquals(paths, [`${root}/p/${train}/0.png`]);
      },
    );
  }
});

Deno.test("listImages() fits train/good without test and train without good", async () => {
  await withFiles(
    ["a/train/good/0.png", "b/train/0.png", "b/test/scratch/1.png"],
    async (root) => {
      const fit = async (name: string) =>
        (await listImages([`${root}/${name}`], "fit")).paths;
      assertEquals(await fit("a"), [`${root}/a/train/good/0.png`]);
      assertEquals(await fit("b"), [`${root}/b/train/0.png`]);
      await assertRejects(
        () => listImages([`${root}/a`], "predict"),
        Error,
        'looked for images in "',
      );
    },
  );
});

Deno.test("listImages() refuses to fit folders that hold other than good parts", async () => {
  const bad = [
    "p/ground_truth/0.png",
    "p/Masks/0.png",
    "p/test/0.png",
    "p/NG/0.png",
    "p/bad/0.png",
    "p/defects/0.png",
    "p/Anomalies/0.png",
    "p/abnormal_1/0.png",
    "p/not_ok/0.png",
  ];
  for (const file of bad) {
    await withFiles(["p/a/0.png", file], async (root) => {
      const folder = file.slice(2, -6);
      await assertRejects(
        () => listImages([`${root}/p`], "fit"),
        FileError,
        `1 of its images are in folders whose names stand for other than good parts (${folder} 1)`,
      );
      for (const operand of [`${root}/p/${folder}`, `${root}/${file}`]) {
        await assertRejects(
          () => listImages([operand], "fit"),
          FileError,
          `a folder named "${folder}" holds other than good parts`,
        );
      }
      const all = await listImages([`${root}/p`], "fit", { all: true });
      assertEquals(all.paths.length, 2);
      assertEquals(
        (await listImages([`${root}/p`], "predict")).paths.length,
        2,
      );
    });
  }
});

Deno.test("listImages() refuses to fit what lies beside a folder of good images", async () => {
  await withFiles(["p/good/0.png", "p/dent/1.png", "p/2.png"], async (root) => {
    await assertRejects(
      () => listImages([`${root}/p`], "fit"),
      FileError,
      `it has images beside its folder "good" (itself 1, dent 1); name the folder of good images, such as "${root}/p/good"`,
    );
  });
});

Deno.test("listImages() takes or names images beside a nested dataset", async () => {
  const inbox = [
    "inbox/new.png",
    "inbox/more/0.png",
    "inbox/old/2024/train/good/0.png",
    "inbox/old/2024/test/good/0.png",
  ];
  await withFiles(inbox, async (root) => {
    const predict = await listImages([`${root}/inbox`], "predict");
    assertEquals(predict.paths, [
      `${root}/inbox/new.png`,
      `${root}/inbox/more/0.png`,
      `${root}/inbox/old/2024/test/good/0.png`,
    ]);
    const fit = await listImages([`${root}/inbox`], "fit");
    assertEquals(fit.paths, [`${root}/inbox/old/2024/train/good/0.png`]);
    assertEquals(fit.warnings, [
      `"${root}/inbox" is a dataset: 2 other images are not taken (itself 1, more 1)`,
    ]);
  });
});

Deno.test("listImages() takes images beside a dataset that has none to predict", async () => {
  await withFiles(["in/a.png", "in/b/train/good/0.png"], async (root) => {
    const { paths, warnings } = await listImages([`${root}/in`], "predict");
    assertEquals(paths, [`${root}/in/a.png`]);
    assertEquals(warnings.length, 1);
  });
});

Deno.test("listImages() warns of images whose format it cannot read", async () => {
  await withFiles(["in/a.png", "in/b.HEIC", "in/c/d.heic"], async (root) => {
    const { warnings } = await listImages([`${root}/in`], "fit");
    assertEquals(warnings, [
      `"${root}/in": 2 images of formats that cannot be read are not taken (.heic 2); convert them to PNG`,
    ]);
  });
});

Deno.test("listImages() takes folders of normal and abnormal images by name", async () => {
  const files = ["p/A/0.png", "p/A/1.png", "p/B/2.png", "p/C/3.png"];
  await withFiles(files, async (root) => {
    const folders = { normalDir: "A", abnormalDir: ["B"] };
    const fit = await listImages([`${root}/p`], "fit", folders);
    assertEquals(fit.paths.length, 1);
    assertEquals(
      fit.notes[0]?.endsWith("; 1 normal images are held back for the test"),
      true,
    );
    assertEquals(fit.warnings, [
      `"${root}/p" is a dataset: 3 other images are not taken (A 1, B 1, C 1)`,
    ]);
    const predict = await listImages([`${root}/p`], "predict", folders);
    assertEquals(
      predict.truths.get(`${root}/p/B/2.png`)?.truth,
      "anomalous",
    );
    const alone = await listImages([`${root}/p`], "fit", { normalDir: "A" });
    assertEquals(alone.paths, [`${root}/p/A/0.png`, `${root}/p/A/1.png`]);
    await assertRejects(
      () => listImages([`${root}/p`], "fit", { normalDir: "D" }),
      Error,
      "looked for the folder",
    );
  });
});

Deno.test("listImages() takes the part of a list that a command needs", async () => {
  await withFiles(["p/a.png", "b.png"], async (root) => {
    const list = `${root}/list.csv`;
    await Deno.writeTextFile(
      list,
      "path,split,label\np/a.png,train,good\nb.png,test,scratch\n",
    );
    const fit = await listImages([], "fit", { list });
    assertEquals(fit.paths, [`${root}/p/a.png`]);
    const predict = await listImages([], "predict", { list });
    assertEquals([...predict.truths], [
      [`${root}/b.png`, { truth: "anomalous", group: "scratch" }],
    ]);
  });
});
