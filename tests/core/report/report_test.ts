import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Report, type ReportFacts } from "../../../src/core/report/mod.ts";
import { REPORT_STYLE } from "../../../src/core/report/style.ts";
import { colorThemes, contrast } from "../../contrast.ts";
import { somePrediction } from "./some_prediction.ts";

const FACTS: ReportFacts = {
  title: "Bottles",
  facts: [["Adapter", "llvmpipe"]],
  settings: { resize: 256 },
};

function articles(page: string): string[] {
  return [...page.matchAll(/<article[\s\S]*?<\/article>/g)].map(([a]) => a);
}

Deno.test("Report pictures the worst images first, and only so many", async () => {
  const report = new Report({ pictures: 2, side: 32 });
  for (const [i, score] of [1, 3, 0.5, 2].entries()) {
    report.add(somePrediction(`part ${i}.png`, score));
  }
  const page = await report.render(FACTS);
  const shown = articles(page);
  assertEquals(shown.length, 2);
  assertMatch(shown[0]!, /1\. part 1\.png[\s\S]*anomalous[\s\S]*1\.50 ×/);
  assertMatch(shown[1]!, /2\. part 3\.png[\s\S]*anomalous[\s\S]*1\.00 ×/);
  assertStringIncludes(page, "The 2 highest scores of 4 images");
  assertStringIncludes(page, "part 2.png</td>");
  assertEquals(report.rows.length, 4);
});

Deno.test("Report shows five pictures of an image, the nearest training patch among them", async () => {
  const report = new Report({ side: 32 });
  report.add(somePrediction("part.png", 3));
  const asked: string[] = [];
  const page = await report.render({
    ...FACTS,
    readTraining: (name) => {
      asked.push(name);
      return Promise.resolve(somePrediction("", 0).image);
    },
  });
  assertEquals(asked, ["good/1.png"]);
  const [shown = ""] = articles(page);
  const images = [...shown.matchAll(/src="data:image\/(png|jpeg);base64,/g)];
  assertEquals(images.map(([, format]) => format), [
    "jpeg",
    "jpeg",
    "png",
    "jpeg",
    "jpeg",
  ]);
  assertEquals(shown.match(/alt="[^"]+"/g)?.length, 5);
});

Deno.test("Report says where the nearest patch is when its image cannot be read", async () => {
  const report = new Report({ side: 32 });
  report.add(somePrediction("part.png", 3));
  assertStringIncludes(await report.render(FACTS), "in good/1.png at 8, 8");
});

Deno.test("Report needs nothing from outside and no script", async () => {
  const report = new Report({ side: 32 });
  report.add(somePrediction("part.png", 3), { truth: "normal", group: "a" });
  const page = await report.render(FACTS);
  assertEquals(
    page.match(/<script|https?:|href="(?!data:,|#)|@import|url\(/g),
    null,
  );
  assertMatch(page, /prefers-color-scheme: dark/);
  assertMatch(page, /@media print/);
});

Deno.test("Report escapes names and messages", async () => {
  const report = new Report({ side: 32 });
  const name = `<img src=x onerror="alert('1')">&`;
  report.add(somePrediction(name, 3), { group: name });
  report.addFailure(name, new Error(`Cannot read ${name}`));
  const page = await report.render({ ...FACTS, title: name });
  assertEquals(page.includes("<img src=x"), false);
  assertStringIncludes(page, "&#60;img src=x onerror=&#34;");
});

Deno.test("Report counts wrong verdicts where the truth is known", async () => {
  const report = new Report({ side: 32 });
  report.add(somePrediction("a", 3), { truth: "normal", group: "good" });
  report.add(somePrediction("b", 1), { truth: "anomalous", group: "rust" });
  report.add(somePrediction("c", 5), { truth: "anomalous", group: "rust" });
  const page = await report.render(FACTS);
  // Clopper and Pearson's intervals of 1 of 1 and of 1 of 2.
  assertStringIncludes(page, "1 of 1, 100 % (2.5 to 100 %)");
  assertStringIncludes(page, "1 of 2, 50 % (1.3 to 99 %)");
  assertStringIncludes(page, "good parts (1)");
  assertStringIncludes(page, "defective parts (2)");
  assertMatch(page, />rust<\/td>\s*<td class="number">2<\/td>/);
});

Deno.test("Report draws curves and tables that it is given", async () => {
  const page = await new Report().render({
    ...FACTS,
    curves: [{
      title: "PRO",
      x: "false positives",
      y: "overlap",
      area: "AUPRO 0.5",
      points: [[0, 0], [0.3, 1]],
      end: 0.3,
    }],
    tables: [{ caption: "Categories", head: ["Name"], rows: [["bottle"]] }],
  });
  assertStringIncludes(page, 'd="M54.0 256.0L286.0 12.0"');
  assertMatch(page, /<h2>Categories<\/h2>[\s\S]*bottle/);
});

Deno.test("Report draws no threshold when the model has none", async () => {
  const report = new Report({ side: 32 });
  report.add(somePrediction("a", 3, null));
  const page = await report.render(FACTS);
  assertStringIncludes(page, ">no verdict<");
  assertStringIncludes(page, "no threshold");
  assertEquals(page.includes('class="threshold"'), false);
  assertStringIncludes(page, "<dd>none</dd>");
});

Deno.test("Report counts images of which the numbers alone are known", async () => {
  const report = new Report();
  report.add(somePrediction("seen.png", 1), { truth: "normal" });
  const { name, score, normalizedScore, label, threshold, ms } = somePrediction(
    "known.png",
    9,
  );
  report.addRow({
    ...{ name, score, normalizedScore, label, threshold, ms },
    mapDisagrees: false,
    regions: [],
    truth: "normal",
  }, 9);
  const page = await report.render(FACTS);
  assertStringIncludes(page, "Table of all 2 images");
  assertStringIncludes(page, "The 1 highest scores of 2 images");
  assertStringIncludes(page, "1 of 2, 50 %");
  assertEquals(page.split('<article class="image">').length, 2);
  assertStringIncludes(page, "known.png");
});

Deno.test("Report says where a map contradicts the verdict", async () => {
  const report = new Report({ side: 32 });
  const normal = somePrediction("a", 1);
  const { map } = normal;
  report.add({ ...normal, map: { ...map, data: map.data.with(0, 2) } });
  report.add({
    ...somePrediction("b", 3),
    map: { ...map, data: map.data.map(() => 1) },
  });
  report.add(somePrediction("c", 3));
  report.add({ ...somePrediction("d", 1), label: "uncertain" });
  const page = await report.render(FACTS);
  assertMatch(page, /Verdict and map disagree<\/dt>\s*<dd>2 of 4/);
  assertStringIncludes(page, "normal, map disagrees");
  assertStringIncludes(page, "anomalous, map disagrees");
  assertMatch(page, /Uncertain<\/dt>\s*<dd>1</);
  assertStringIncludes(page, 'class="badge uncertain"');
});

Deno.test.each([[{ pictures: -1 }], [{ pictures: 1.5 }], [{ side: 8 }]])(
  "Report refuses %j",
  (options) => {
    assertThrows(() => new Report(options), RangeError, "expected an integer");
  },
);

Deno.test("the report's text has a contrast of at least 4.5, light and dark", () => {
  const themes = colorThemes(REPORT_STYLE);
  assertEquals(themes.length, 2);
  for (const theme of themes) {
    const of = (name: string) => theme.get(name)!;
    for (const text of ["text", "quiet", "accent"]) {
      for (const ground of ["ground", "panel"]) {
        const value = contrast(of(text), of(ground));
        assert(value >= 4.5, `${text} on ${ground}: ${value}`);
      }
    }
    for (const badge of ["normal", "uncertain", "anomalous", "unknown"]) {
      const value = contrast(of("on"), of(badge));
      assert(value >= 4.5, `text on ${badge}: ${value}`);
    }
  }
});
