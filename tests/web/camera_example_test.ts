import { assertEquals, assertMatch } from "@std/assert";
import { bundle } from "../../tools/web.ts";
import { checkAccessibility } from "./accessibility.ts";
import { browserTest, problemsOf } from "./browser.ts";
import { serveFiles } from "./page_server.ts";

const ROOT = new URL("../../", import.meta.url);

browserTest("examples/camera teaches and inspects", async (browser) => {
  await using server = serveFiles({
    "index.html": await Deno.readTextFile(
      new URL("examples/camera/index.html", ROOT),
    ),
    "camera.js": await bundle(new URL("examples/camera/main.ts", ROOT)),
    "demo.onnx": await Deno.readFile(new URL("weights/demo.onnx", ROOT)),
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(240_000);
  const problems = problemsOf(page);
  await page.goto(server.url);
  const status = page.getByRole("status");
  const said = async (expected: RegExp) => {
    await status.filter({ hasNotText: /^(Starting|Working) …$/ }).waitFor();
    assertMatch(await status.innerText(), expected);
  };
  await said(/^Show the camera a good part$/);
  await page.keyboard.press("Tab");
  for (const answer of [/^1 of 3/, /^2 of 3/, /^Fitted to 3 good parts$/]) {
    await page.keyboard.press("Enter");
    await said(answer);
  }
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await said(/^(normal|anomalous): \d+\.\d\d × threshold$/);
  assertEquals(problems, []);
  await checkAccessibility(page);
});
