import { assertEquals, assertRejects } from "@std/assert";
import {
  detectLayout,
  readDataset,
} from "../../../src/core/datasets/read_dataset.ts";
import { MemoryFiles, npyFile, paths, readOne } from "./memory_files.ts";

function frames(folder: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${folder}/${String(i).padStart(3, "0")}.jpg`,
  );
}

const FRAME_LABELS = Uint8Array.of(0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0);

Deno.test("readDataset() takes every fifth frame of ShanghaiTech Campus", async () => {
  const files = new MemoryFiles(
    ...frames("/s/training/frames/01_001", 11),
    ...frames("/s/training/frames/01_002", 4),
    ...frames("/s/testing/frames/01_0014", 12),
    [
      "/s/testing/test_frame_mask/01_0014.npy",
      npyFile("|u1", [12], FRAME_LABELS),
    ],
    "/s/testing/test_pixel_mask/01_0014.npy",
  );
  assertEquals(await detectLayout(files, "/s"), "mstc");
  const { name, train, test } = await readOne(files, "/s");
  assertEquals(name, "s");
  assertEquals(paths(train), [
    "/s/training/frames/01_001/000.jpg",
    "/s/training/frames/01_001/005.jpg",
    "/s/training/frames/01_001/010.jpg",
    "/s/training/frames/01_002/000.jpg",
  ]);
  assertEquals(test, [
    { path: "/s/testing/frames/01_0014/000.jpg", label: "normal" },
    {
      path: "/s/testing/frames/01_0014/005.jpg",
      label: "anomalous",
      mask: { path: "/s/testing/test_pixel_mask/01_0014.npy", frame: 5 },
    },
    { path: "/s/testing/frames/01_0014/010.jpg", label: "normal" },
  ]);
  const [all] = await readDataset(files, "/s", { frameStep: 1 });
  assertEquals(all!.test.length, 12);
});

Deno.test("readDataset() labels frames by their pixels when there are no frame labels", async () => {
  const pixels = new BigInt64Array(7 * 2 * 3);
  pixels[5 * 6 + 4] = 1n;
  const files = new MemoryFiles(
    ...frames("/s/training/frames/01_001", 1),
    ...frames("/s/testing/frames/01_0014", 7),
    ["/s/test_pixel_mask/01_0014.npy", npyFile("<i8", [7, 2, 3], pixels)],
  );
  const { test } = await readOne(files, "/s");
  assertEquals(test.map(({ label }) => label), ["normal", "anomalous"]);
  assertEquals(test[1]!.mask, {
    path: "/s/test_pixel_mask/01_0014.npy",
    frame: 5,
  });
});

Deno.test("readDataset() orders frames by number past 999", async () => {
  const labels = new Uint8Array(1002);
  labels[1000] = 1;
  const files = new MemoryFiles(
    ...frames("/s/training/frames/01_001", 1),
    ...frames("/s/testing/frames/01_0014", 1002),
    ["/s/testing/test_frame_mask/01_0014.npy", npyFile("|b1", [1002], labels)],
  );
  const { test } = await readOne(files, "/s");
  assertEquals(
    test.filter(({ label }) => label === "anomalous"),
    [{ path: "/s/testing/frames/01_0014/1000.jpg", label: "anomalous" }],
  );
});

Deno.test("readDataset() says what ShanghaiTech Campus lacks", async () => {
  const train = frames("/s/training/frames/01_001", 1);
  const test = frames("/s/testing/frames/01_0014", 3);
  const mask = "/s/testing/test_frame_mask/";
  const cases: [MemoryFiles, string][] = [
    [
      new MemoryFiles("/s/training/videos/01_001.avi", ...test),
      "videos must be taken apart into frames first",
    ],
    [new MemoryFiles(...train, ...test), "found neither"],
    [
      new MemoryFiles(...train, ...test, `${mask}other.npy`),
      'looked for "01_0014.npy"',
    ],
    [
      new MemoryFiles(...train, ...test, [
        `${mask}01_0014.npy`,
        npyFile("|u1", [12], FRAME_LABELS),
      ]),
      "it has 3 frames",
    ],
  ];
  for (const [files, message] of cases) {
    await assertRejects(() => readDataset(files, "/s"), Error, message);
  }
  await assertRejects(
    () => readDataset(cases[0]![0], "/s", { frameStep: 0 }),
    RangeError,
    "current value is 0",
  );
});
