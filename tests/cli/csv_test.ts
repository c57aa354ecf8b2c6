import { assertEquals } from "@std/assert";
import {
  evaluationCsv,
  predictionHead,
  predictionRow,
  regionHead,
  regionRows,
} from "../../src/cli/csv.ts";
import type { EvaluationRecord } from "../../src/core/evaluation/mod.ts";
import type { ScoredRecord } from "../../src/cli/prediction_record.ts";

const SCORED: ScoredRecord = {
  image_path: 'in/a, "b".png',
  pred_score: 1.5,
  pred_score_normalized: null,
  pred_label: null,
  threshold: null,
  uncertain_from: null,
  worst_patch: {
    x: 1,
    y: 2,
    width: 3,
    height: 4,
    nearest: { image_path: "good/1\n2.png", x: 5, y: 6 },
  },
  map: {
    path: null,
    width: 8,
    height: 8,
    min: 0,
    max: 1,
    threshold: null,
    scale: { min: 0, max: 1, of: "image" },
    disagrees: false,
    min_area: null,
  },
  regions: [
    {
      ...{ x: 2, y: 3, width: 4, height: 2, area: 6 },
      ...{ peak: 0.75, peak_x: 3, peak_y: 4, contour: [] },
    },
    {
      ...{ x: 7, y: 7, width: 1, height: 1, area: 1 },
      ...{ peak: 0.5, peak_x: 7, peak_y: 7, contour: [] },
    },
  ],
  seen: { x: 0, y: 0, width: 8, height: 8 },
  ms: {
    decode: 1,
    trunk: NaN,
    patches: NaN,
    search: NaN,
    map: NaN,
    total: 2,
  },
};

Deno.test("predictionRow() quotes as RFC 4180 does and leaves unknowns empty", () => {
  const failure = { image_path: "cut.png", error: "it ends early" };
  assertEquals(
    predictionHead() + predictionRow(SCORED) + predictionRow(failure),
    [
      "image_path,pred_score,pred_score_normalized,pred_label,threshold,worst_x,worst_y,worst_width,worst_height,nearest_image_path,nearest_x,nearest_y,error,uncertain_from,regions,largest_area",
      '"in/a, ""b"".png",1.5,,,,1,2,3,4,"good/1\n2.png",5,6,,,2,6',
      "cut.png,,,,,,,,,,,,it ends early,,,",
      "",
    ].join("\r\n"),
  );
});

Deno.test("regionRows() gives every region of an image a line", () => {
  const failure = { image_path: "cut.png", error: "it ends early" };
  assertEquals(
    regionHead() + regionRows(SCORED) + regionRows(failure),
    [
      "image_path,x,y,width,height,area,peak,peak_x,peak_y",
      '"in/a, ""b"".png",2,3,4,2,6,0.75,3,4',
      '"in/a, ""b"".png",7,7,1,1,1,0.5,7,7',
      "",
    ].join("\r\n"),
  );
});

Deno.test("predictionRow() keeps a spreadsheet from running names, not from reading numbers", () => {
  for (const name of ["=1+1", "+a", "-1.png", "@b", "\tc", '=HYPERLINK("x")']) {
    const row = predictionRow({ ...SCORED, image_path: name, pred_score: -2 });
    const quoted = name.replaceAll('"', '""');
    assertEquals(row.startsWith(`"'${quoted}",-2,`), true, row);
  }
});

Deno.test("evaluationCsv() joins nested keys and has the columns of all records", () => {
  const records = [
    { category: "a", image_auroc: 1, std: { image_auroc: 0.5 } },
    { category: "b", image_auroc: null, shots: 5 },
  ] as unknown as EvaluationRecord[];
  assertEquals(
    evaluationCsv(records),
    "category,image_auroc,std.image_auroc,shots\r\na,1,0.5,\r\nb,,,5\r\n",
  );
});

Deno.test("evaluationCsv() keeps negative numbers and names apart", () => {
  const records = [
    { category: "-a", image_auroc: -0.5 },
  ] as unknown as EvaluationRecord[];
  assertEquals(
    evaluationCsv(records),
    `category,image_auroc\r\n"'-a",-0.5\r\n`,
  );
});
