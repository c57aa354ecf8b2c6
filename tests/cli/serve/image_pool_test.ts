import { assertEquals, assertRejects } from "@std/assert";
import { decodeImage, type Pixels } from "../../../src/core/mod.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { ImagePool } from "../../../src/cli/serve/image_pool.ts";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { fakeModel, png } from "./fake_service.ts";

function decode(
  pool: ImagePool,
  bytes: Uint8Array,
  name = "a.png",
  maxPixels = 1e6,
): Promise<Pixels> {
  const image = { name, bytes: Uint8Array.from(bytes) };
  return pool.decode(image, fakeModel("part"), maxPixels);
}

Deno.test("ImagePool decodes as decodeImage() and refuses as it does", async () => {
  using pool = new ImagePool(2, 60);
  const bytes = await png(24);
  const expected = await decodeImage(bytes, "a.png");
  const decoded = await Promise.all(
    [1, 2, 3].map(() => decode(pool, bytes)),
  );
  for (const pixels of decoded) assertEquals(pixels, expected);
  const refused = await assertRejects(
    () => decode(pool, bytes, "a.png", 100),
    HttpProblem,
    'Cannot read image "a.png": it has 24 × 24 pixels',
  );
  assertEquals(refused.status, 413);
  const wide = await png(64, 16);
  await assertRejects(
    () => decode(pool, wide),
    HttpProblem,
    "it becomes 64 × 16",
  );
  const damaged = bytes.with(bytes.length - 20, 255);
  await assertRejects(
    () => decode(pool, damaged),
    HttpProblem,
    "damaged",
  );
});

Deno.test("ImagePool follows the range of the model", async () => {
  using pool = new ImagePool(1, 60);
  const grey = Uint16Array.from({ length: 256 }, (_, i) => 16 * i);
  const bytes = await encodePng({ width: 16, height: 16, grey });
  const model = fakeModel("part");
  const range = { low: 0, high: 4095 };
  const { data } = await pool.decode(
    { name: "a.png", bytes },
    { ...model, settings: { ...model.settings, range } },
    1e6,
  );
  assertEquals(data[4 * 200], 200);
});

Deno.test("ImagePool encodes a map in the original's geometry", async () => {
  using pool = new ImagePool(1, 60);
  const map = {
    width: 2,
    height: 2,
    data: new Float32Array([0, 1, 2, 3]),
    threshold: 2,
    geometry: { width: 6, height: 4, left: 0, top: 0, right: 6, bottom: 4 },
  };
  const grey = await decodeImage(await pool.encodeMap(map), "map.png");
  assertEquals([grey.width, grey.height], [6, 4]);
  assertEquals([grey.data[0], grey.data.at(-4)], [0, 191]);
  const own = await pool.encodeMap({ ...map, threshold: null });
  const { data } = await decodeImage(own, "map.png");
  assertEquals([data[0], data.at(-4)], [0, 255]);
  const image = { width: 6, height: 4, data: new Uint8Array(96).fill(255) };
  const drawn = await decodeImage(await pool.encodeMap(map, image), "map.png");
  assertEquals([...drawn.data.subarray(0, 3)], [255, 255, 255]);
  await assertRejects(
    () => pool.encodeMap(map, { width: 1, height: 1, data: new Uint8Array(4) }),
    HttpProblem,
    "Cannot draw a map",
  );
});

Deno.test("ImagePool replaces a thread that hangs or breaks", async () => {
  const url = new URL("./hanging_image_worker.ts", import.meta.url);
  using pool = new ImagePool(
    1,
    6,
    () => new Worker(url, { type: "module" }),
  );
  const bytes = await png();
  for (const [name, reason] of [["hang", "takes more than"], ["break", ""]]) {
    const failing = decode(pool, bytes, name);
    const next = decode(pool, bytes);
    await assertRejects(() => failing, HttpProblem, reason!);
    assertEquals((await next).width, 16);
  }
});
