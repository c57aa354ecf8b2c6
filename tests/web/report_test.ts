import { assertEquals } from "@std/assert";
import { Report } from "../../src/core/report/mod.ts";
import { somePrediction } from "../core/report/some_prediction.ts";
import { checkAccessibility, checkKeyboard, shoot } from "./accessibility.ts";
import { browserTest, problemsOf } from "./browser.ts";
import { serveFiles } from "./page_server.ts";

const PHONE = { width: 390, height: 844 };

browserTest(
  "a report is for everybody, on a phone as well",
  async (browser) => {
    const report = new Report({ side: 32 });
    for (const [group, score] of [["flange", 3], ["fabric", 1]] as const) {
      report.add(somePrediction(`${group}/test/000.png`, score), {
        group,
        truth: score > 2 ? "anomalous" : "normal",
      });
    }
    report.addFailure("broken.png", new Error("Cannot decode broken.png"));
    const html = await report.render({
      title: "Two products",
      facts: [["Adapter", "llvmpipe"]],
      settings: { resize: 256 },
      tables: [{
        caption: "Results",
        head: ["Category", ..."abcdefghij"],
        rows: [["flange", ...Array(10).fill("100.00")]],
      }],
      curves: ["flange", "fabric", "circuit", "glass"].map((group) => ({
        title: "Image ROC",
        x: "good parts flagged",
        y: "defective parts found",
        area: "AUROC 1.0000",
        points: [[0, 0], [0, 1], [1, 1]] as const,
        group,
      })),
      readTraining: () => Promise.resolve(somePrediction("", 0).image),
    });
    await using server = serveFiles({ "index.html": html });
    const page = await browser.newPage();
    const problems = problemsOf(page);
    const asked: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) asked.push(request.url());
    });
    for (const size of [{ width: 1280, height: 900 }, PHONE]) {
      await page.setViewportSize(size);
      await page.goto(server.url);
      await checkAccessibility(page);
      await checkKeyboard(page);
    }
    await page.focus(".group:last-of-type summary");
    await page.keyboard.press("Enter");
    assertEquals(await page.locator(".group[open] .curve").count(), 2);
    await page.emulateMedia({ media: "print" });
    const printed = await page.evaluate(
      `[...document.querySelectorAll(".curve")]
    .filter((curve) => curve.checkVisibility()).length`,
    );
    assertEquals(printed, 4);
    await page.emulateMedia({ media: "screen" });
    assertEquals(new Set(asked), new Set([server.url]));
    assertEquals(problems, []);
    await shoot(page, "report");
  },
);
