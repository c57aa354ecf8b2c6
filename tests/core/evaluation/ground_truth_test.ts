import { assertEquals, assertRejects } from "@std/assert";
import type { MaskSource } from "../../../src/core/datasets/dataset.ts";
import { GroundTruth } from "../../../src/core/evaluation/ground_truth.ts";
import { isLabelMap } from "../../../src/core/images/label_map.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { MemoryFiles } from "../datasets/memory_files.ts";

const SIDE = 8;

/** A mask whose middle 4 × 4 pixels have a level, with a softer ring. */
function square(level: number, ring = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const far = Math.max(
      Math.abs(i % SIDE - 3.5),
      Math.abs(Math.floor(i / SIDE) - 3.5),
    );
    return far < 2 ? level : far < 3 ? ring : 0;
  });
}

async function truth(masks: Record<string, Uint8Array>) {
  const entries = Object.entries(masks).map(
    async ([path, grey]): Promise<[string, Uint8Array]> => [
      path,
      await encodePng({ width: SIDE, height: grey.length / SIDE, grey }),
    ],
  );
  return new MemoryFiles(...await Promise.all(entries));
}

function reader(files: MemoryFiles, rule: "half" | "reference" = "half") {
  const geometry = { resize: SIDE, crop: null };
  return new GroundTruth(files, { geometry, rule });
}

function sample(mask: MaskSource) {
  return { path: "image", label: "anomalous", mask } as const;
}

const IMAGE = { width: SIDE, height: SIDE };

for (const rule of ["half", "reference"] as const) {
  Deno.test(`GroundTruth takes masks of class numbers above 0, those of 0 and 255 by ${rule}`, async () => {
    const files = await truth({
      bytes: square(255),
      ones: square(1),
      kinds: square(120),
      bright: square(200),
      soft: square(255, 100),
    });
    const read = reader(files, rule);
    const mask = async (path: string) =>
      await read.mask(sample({ path }), IMAGE);
    const wanted = await mask("bytes");
    assertEquals(wanted!.mask.reduce((sum, value) => sum + value, 0), 16);
    assertEquals(read.labelMaps, 0);
    assertEquals(await mask("soft"), wanted);
    assertEquals(read.labelMaps, 0);
    for (const path of ["ones", "kinds", "bright"]) {
      assertEquals(await mask(path), wanted, path);
    }
    assertEquals(read.labelMaps, 3);
  });
}

Deno.test("GroundTruth joins several masks of an image", async () => {
  const left = new Uint8Array(SIDE * SIDE).fill(7, 0, 3);
  const right = new Uint8Array(SIDE * SIDE).fill(255, 2, 5);
  const files = await truth({ left, right, low: left.slice(0, SIDE) });
  const source = { path: "left", nonZero: true };
  const mask = await reader(files).mask(
    sample({ ...source, others: ["right"] }),
    IMAGE,
  );
  assertEquals([...mask!.mask.subarray(0, 6)], [1, 1, 1, 1, 1, 0]);
  await assertRejects(
    () => reader(files).mask(sample({ ...source, others: ["low"] }), IMAGE),
    RangeError,
    '"low" has 8 × 1 pixels, "left" has 8 × 8',
  );
});

Deno.test("isLabelMap() tells numbers of classes from smoothed edges", () => {
  assertEquals(isLabelMap(square(0), SIDE), false);
  assertEquals(isLabelMap(square(255), SIDE), false);
  assertEquals(isLabelMap(square(255, 60), SIDE), false);
  assertEquals(isLabelMap(square(127), SIDE), true);
  assertEquals(isLabelMap(square(170), SIDE), true);
  const mixed = square(255);
  for (let y = 0; y < 3; y++) mixed.fill(60, y * SIDE, y * SIDE + 3);
  assertEquals(isLabelMap(mixed, SIDE), true);
  const wrapped = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < 3; y++) wrapped.fill(60, y * SIDE + 7, y * SIDE + 10);
  wrapped[40] = 255;
  assertEquals(isLabelMap(wrapped, SIDE), false);
});
