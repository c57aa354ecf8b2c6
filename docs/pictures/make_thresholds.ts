/**
 * Draws `thresholds.svg`: the scores of good and of defective parts that a model
 * has not seen, and the threshold that its training images set. The parts are
 * those of the demo.
 *
 *     deno run -A docs/pictures/make_thresholds.ts
 *
 * @module
 */
import { demoBackbone } from "../../src/cli/load_backbone.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { PatchCore } from "../../src/core/mod.ts";
import { histogram } from "../../src/core/report/histogram.ts";

const STYLE = `<style>
text { fill: #545c66; font: 14px system-ui, sans-serif; }
.axis { fill: none; stroke: #c9d0d8; }
.threshold { fill: none; stroke: #1b1f24; stroke-width: 2; stroke-dasharray: 5 4; }
.line { fill: none; stroke: #0b5cad; stroke-width: 2.5; }
.bar.normal { fill: #2f7d4f; } .bar.anomalous { fill: #b3261e; }
</style><rect width="100%" height="100%" fill="#ffffff"/>`;

const images = [...demoSet(FLANGE, { train: 40, good: 60, defective: 20 })];
const of = (split: string, isDefective: boolean) =>
  images.filter((image) =>
    image.split === split && (image.defect !== undefined) === isDefective
  ).map(({ pixels }) => pixels);
using detector = await PatchCore.create({
  backbone: await demoBackbone(),
  resize: 128,
  square: true,
  crop: null,
});
await detector.fit(of("train", false));
const { threshold } = detector.model;
const scores = async (isDefective: boolean): Promise<number[]> => {
  const found: number[] = [];
  for await (const { score } of detector.predict(of("test", isDefective))) {
    found.push(score);
  }
  return found;
};
const good = await scores(false);
const bad = await scores(true);
const { text } = histogram([
  { name: "good parts", kind: "normal", scores: good },
  { name: "defective parts", kind: "anomalous", scores: bad },
], {
  threshold: threshold!.value,
  axis: "score: good parts green, defective ones red",
});
const svg = text.slice(0, text.indexOf("</svg>") + 6)
  .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
  .replace(/>/, `>${STYLE}`);
await Deno.writeTextFile(
  new URL("thresholds.svg", import.meta.url),
  `${svg.replace(/[ \t]+$/gm, "")}\n`,
);
const above = (list: number[]): number =>
  list.filter((score) => score >= threshold!.value).length;
console.log(
  `threshold ${threshold!.value}: ${above(good)} of ${good.length} good, ${
    above(bad)
  } of ${bad.length} defective above; ${JSON.stringify(threshold!.rule)}`,
);
