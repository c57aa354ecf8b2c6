/**
 * The inspection page and the kernels in a real browser.
 *
 * @module
 */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { demoBackbone } from "../../src/cli/load_backbone.ts";
import {
  decodeImage,
  defectRegions,
  drawRegion,
  type NamedImage,
  PatchCore,
  readModelFile,
  type RegionSetting,
} from "../../src/core/mod.ts";
import { encodePng } from "../../src/core/images/png.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { demoParts } from "../../src/web/demo_parts.ts";
import { bundle, writePage } from "../../tools/web.ts";
import { smoothTransformer } from "../smooth_transformer.ts";
import { checkAccessibility, checkKeyboard, shoot } from "./accessibility.ts";
import { browserTest, problemsOf } from "./browser.ts";
import { serveFiles } from "./page_server.ts";
import { serveModel } from "./service.ts";

/** How much a score in the browser may differ from Deno's. */
const TOLERANCE = 1e-3;
const GOLDEN = new URL("../golden/", import.meta.url);
/** A CPU adapter takes its time. */
const PATIENCE = 300_000;

browserTest(
  "a browser decodes as Deno does and accepts every kernel",
  async (browser) => {
    const script = await bundle(new URL("entry.ts", import.meta.url));
    const html =
      '<!DOCTYPE html><link rel="icon" href="data:,"><script type="module" src="entry.js"></script>';
    await using server = serveFiles({ "index.html": html, "entry.js": script });
    const page = await browser.newPage();
    const problems = problemsOf(page);
    await page.goto(server.url);
    await page.waitForFunction("globalThis.inBrowser !== undefined");
    const result = await page.evaluate("inBrowser.checkAll()");
    const { checked, problems: refused } = result as Record<string, string[]>;
    assertEquals(refused, []);
    assert(checked!.length > 40, `Checked ${checked!.length} kernels only`);
    for (const name of exactImages()) {
      const bytes = await Deno.readFile(new URL(name, GOLDEN));
      const { data } = await decodeImage(bytes, name);
      const there = await page.evaluate(
        `inBrowser.decode("${name}", "${bytes.toBase64()}")`,
      );
      assertEquals(Uint8Array.fromBase64(there as string), data, name);
    }
    const avif = await Deno.readFile(new URL("camera/avifenc.avif", GOLDEN));
    const there = await page.evaluate(
      `inBrowser.decode("a.avif", "${avif.toBase64()}")`,
    );
    assertEquals(Uint8Array.fromBase64(there as string).length, 64 * 48 * 4);
    assertEquals(problems, []);
  },
);

/** Images that are read alike everywhere, and need no range for it. */
function exactImages(): string[] {
  return ["images", "camera"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, GOLDEN))]
      .map(({ name }) => `${folder}/${name}`)
  ).filter((name) => /\.(png|jpg|tif|bmp|gif)$|lossless/.test(name))
    .filter((name) => !/cmyk.*jpg|440|float|int32/.test(name)).sort();
}

browserTest("the page fits and inspects as Deno does", async (browser) => {
  await using server = serveFiles({ "index.html": await writePage() });
  const page = await browser.newPage({
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
  });
  const problems = problemsOf(page);
  await open(page, server.url);
  await shoot(page, "page-empty");
  await page.press("#teach-camera", "Enter");
  await page.waitForSelector("#teach-view button");
  await page.keyboard.press("Space"); // the camera's button has the focus
  await page.waitForSelector("#good-parts li");
  await page.press("#teach-camera", "Space");
  assertEquals(await page.isVisible("#teach-view"), false);

  await page.press("#try-demo", "Enter");
  const scores = await scoresOf(page, demoParts().others.length);
  await page.waitForSelector("#save-model:enabled");
  assertEquals(await focusOf(page), "try-demo");
  using detector = await PatchCore.create({
    backbone: await demoBackbone(),
    batch: 4,
    square: true,
    crop: null,
  });
  await detector.fit(demoParts().good);
  assertScores(scores, await scoresInDeno(detector));
  await shoot(page, "page");

  await page.focus("#factor");
  await page.keyboard.press("Home");
  assertEquals(await page.textContent("#count"), "5 of 5 anomalous");
  const tuning = page.waitForEvent("download");
  await page.click("#save-threshold");
  const tuned = readModelFile(
    await Deno.readFile(await (await tuning).path()),
  );
  assertAlmostEquals(
    tuned.threshold!.value,
    detector.model.threshold!.value / 2,
    TOLERANCE,
  );
  await page.focus("#list button");
  await page.keyboard.press("ArrowRight");
  const current = page.locator("#list [aria-current]");
  assertEquals(
    await current.getAttribute("title"),
    await page.locator("#list button").nth(1).getAttribute("title"),
  );
  await checkKeyboard(page);
  await checkAccessibility(page);

  const saving = page.waitForEvent("download");
  await page.click("#save-model");
  const file = await (await saving).path();
  using loaded = await PatchCore.load(await Deno.readFile(file));
  assertScores(await scoresInDeno(loaded), await scoresInDeno(detector));
  await page.reload();
  await page.setInputFiles("#open-model", file);
  await page.waitForSelector("#save-model:enabled");
  assertStringIncludes(
    await page.textContent("#model-about") ?? "",
    `${demoParts().good.length} good parts`,
  );
  await page.setInputFiles("#inspect-files", {
    name: "note.txt",
    mimeType: "image/png",
    buffer: Buffer.from("no image"),
  });
  await page.waitForSelector("#problems p");
  assertStringIncludes(await page.textContent("#problems") ?? "", "note.txt");
  await page.press("#problems button", "Enter");
  assertEquals(await focusOf(page), "inspect");

  using partial = await PatchCore.create({
    backbone: await demoBackbone(),
    square: true,
    crop: null,
    coreset: 0.02,
    region: partRegion(),
  });
  await partial.fit(demoParts().good.slice(0, 3));
  lowerThresholds(partial);
  await page.setInputFiles("#open-model", {
    name: "region.safetensors",
    mimeType: "application/octet-stream",
    buffer: Buffer.from(partial.save({ bundle: true })),
  });
  await page.locator("#status", { hasText: "region.saf" }).waitFor();
  assertStringIncludes(
    await page.textContent("#model-about") ?? "",
    "inspects 87.5 % of 256 × 256 pixels: without 0,0,32,256",
  );
  await page.setInputFiles(
    "#inspect-files",
    await filesOf(demoParts().others),
  );
  assertScores(
    await scoresOf(page, demoParts().others.length),
    await scoresInDeno(partial),
  );
  await assertWorstRegions(page, partial);
  assertEquals(problems, []);
});

browserTest(
  "the page fits a transformer that is given to it as Deno does",
  async (browser) => {
    await using server = serveFiles({ "index.html": await writePage() });
    const page = await browser.newPage();
    const problems = problemsOf(page);
    await open(page, server.url);
    const bytes = smoothTransformer();
    await page.setInputFiles("#backbone-file", {
      name: "vits14.onnx",
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes),
    });
    const good = demoParts().good.slice(0, 3);
    await page.setInputFiles("#teach-files", await filesOf(good));
    await page.click("#fit:enabled");
    await page.waitForSelector("#save-model:enabled");
    const images = demoParts().others;
    await page.setInputFiles("#inspect-files", await filesOf(images));
    const scores = await scoresOf(page, images.length);
    using detector = await PatchCore.create({
      backbone: { name: "vits14", bytes },
      preset: "dino",
      square: true,
    });
    await detector.fit(good);
    assertScores(scores, await scoresInDeno(detector));
    assertEquals(problems, []);
  },
);

browserTest(
  "the page lets the server inspect where there is no WebGPU",
  async (browser) => {
    await writePage();
    using detector = await PatchCore.create({
      backbone: await demoBackbone(),
      square: true,
      crop: null,
      coreset: 0.02,
      region: partRegion(),
    });
    await detector.fit(demoParts().good.slice(0, 3));
    lowerThresholds(detector);
    const model = await Deno.makeTempFile({ suffix: ".safetensors" });
    await Deno.writeFile(model, detector.save({ bundle: true }));
    await using service = await serveModel(model);
    const page = await browser.newPage();
    const problems = problemsOf(page);
    await open(page, `${service.url}/`);
    assertStringIncludes(
      await page.textContent("#device") ?? "",
      "no WebGPU",
    );
    assertEquals(await page.isEnabled("#fit"), false);
    const images = demoParts().others;
    await page.setInputFiles(
      "#inspect-files",
      await filesOf(images),
    );
    const scores = await scoresOf(page, images.length);
    const expected = await scoresInDeno(detector);
    assertScores(scores, expected, 1e-5);
    assertStringIncludes(await page.textContent("#status") ?? "", "server");
    await assertWorstRegions(page, detector);
    await shoot(page, "page-region");
    await checkAccessibility(page);
    assertEquals(problems, []);
    await Deno.remove(model);
  },
  { webgpu: false },
);

/** So that defects have regions after a fit to few images. */
function lowerThresholds(detector: PatchCore): void {
  detector.setThresholds({ score: detector.model.threshold!.value / 2 });
}

/** All of a part's picture but a strip on the left. */
function partRegion(): RegionSetting {
  const [{ content }] = demoParts().good;
  const { width, height } = content as Pixels;
  return drawRegion({
    width,
    height,
    ignore: [{ kind: "box", x: 0, y: 0, width: width / 8, height }],
  });
}

/** Images as files that are chosen on the page. */
async function filesOf(
  images: readonly NamedImage[],
): Promise<{ name: string; mimeType: string; buffer: Buffer }[]> {
  return await Promise.all(images.map(async ({ name, content }) => ({
    name,
    mimeType: "image/png",
    buffer: Buffer.from(await encodePng(content as Pixels)),
  })));
}

/** The worst image's regions on the page are those that Deno finds. */
async function assertWorstRegions(
  page: Page,
  detector: PatchCore,
): Promise<void> {
  await page.click("#list li:first-child button");
  const name = await page.locator("#list button").first()
    .getAttribute("title");
  const image = demoParts().others.find((part) => part.name === name)!;
  const [prediction] = await Array.fromAsync(detector.predict([image]));
  const regions = defectRegions(prediction!.map);
  assert(regions.length > 0);
  const summary = await page.textContent("#regions summary") ?? "";
  assertStringIncludes(summary, `${regions.length} region`);
  const { x, y, width, height } = regions[0]!;
  assertStringIncludes(
    await page.textContent("#regions li:first-child") ?? "",
    `${width} × ${height} pixels from x ${x}, y ${y}`,
  );
}

async function open(page: Page, url: string): Promise<void> {
  page.setDefaultTimeout(PATIENCE);
  await page.goto(url);
  await page.waitForSelector("html[data-ready]", { state: "attached" });
}

async function focusOf(page: Page): Promise<string> {
  return await page.evaluate("document.activeElement.id") as string;
}

/** The scores on the page by name, once there are so many. */
async function scoresOf(
  page: Page,
  count: number,
): Promise<Map<string, number>> {
  await page.locator("#list button").nth(count - 1).waitFor();
  const pairs = await page.evaluate(
    `[...document.querySelectorAll("#list button")].map((button) =>
      [button.title, Number(button.dataset.score)])`,
  );
  return new Map(pairs as [string, number][]);
}

async function scoresInDeno(
  detector: PatchCore,
  images: readonly NamedImage[] = demoParts().others,
): Promise<Map<string, number>> {
  const scores = new Map<string, number>();
  for await (const { name, score } of detector.predict(images)) {
    scores.set(name, score);
  }
  return scores;
}

function assertScores(
  actual: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
  tolerance = TOLERANCE,
): void {
  assertEquals([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [name, score] of expected) {
    const difference = Math.abs(actual.get(name)! - score);
    assert(
      difference <= tolerance,
      `${name}: ${actual.get(name)}, in Deno ${score}`,
    );
  }
}
