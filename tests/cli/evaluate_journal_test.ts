import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import { Journal } from "../../src/cli/evaluate_journal.ts";
import type { EvaluationRecord } from "../../src/core/evaluation/mod.ts";

const KEY = "a1".repeat(32);

const RECORD: EvaluationRecord = {
  category: "bolt",
  image_auroc: 0.75,
  image_aupr: 0,
  f1_max: 1,
  f1_threshold: -2.5,
  false_positives: 1,
  false_negatives: 0,
  pixel_auroc: null,
  pixel_auroc_defective: null,
  aupro_30: null,
  aupro_5: null,
  pro_per_image: null,
  threshold: 3.25,
  threshold_false_positives: 0,
  threshold_false_negatives: null,
  threshold_f1: 0.5,
  false_alarm_rate: 0.5,
  false_alarm_interval: [0.25, 0.75],
  miss_rate: null,
  miss_interval: null,
  images: { train: 2, normal: 1, anomalous: 1 },
  seconds: { features: 0.5, "bank rows": 0, total: 0.5 },
};

async function withJournal(
  text: string,
  work: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await Deno.writeTextFile(path, text);
    await work(path);
  } finally {
    await Deno.remove(path);
  }
}

const entry = (record: unknown) =>
  JSON.stringify({ key: KEY, records: [record] });

Deno.test("Journal gives back what was added, with details of every kind", async () => {
  const detailed: EvaluationRecord = {
    ...RECORD,
    shots: 5,
    seeds: 2,
    std: {
      image_auroc: 0.5,
      image_aupr: null,
      f1_max: null,
      pixel_auroc: null,
      pixel_auroc_defective: null,
      aupro_30: null,
      aupro_5: null,
      pro_per_image: null,
    },
    false_positives: 1.5,
    bank_rows: 7,
    recall_at_1: 1,
    threshold_uncertain: { normal: 1, anomalous: 0 },
  };
  await withJournal("", async (path) => {
    const other = "b2".repeat(32);
    const journal = await Journal.open(path);
    await journal.add(KEY, [detailed]);
    await journal.add(other, [{ ...RECORD, category: "nut" }]);
    const again = await Journal.open(path);
    assertEquals(again.find(KEY, "bolt"), [detailed]);
    assertEquals(again.find(other, "nut")?.length, 1);
    assertEquals(again.find("c3".repeat(32), "bolt"), undefined);
  });
});

const { threshold: _, ...lacking } = RECORD;

Deno.test.each<[string, string]>([
  ["it is no JSON", "no JSON"],
  ["it is no JSON", entry(RECORD).slice(0, -20)],
  ["it is no JSON", entry(RECORD).replace("0.75", "NaN")],
  ['"key" is no SHA-256', "null"],
  ['"key" is no SHA-256', JSON.stringify({ key: "x", records: [RECORD] })],
  ["no list of results", JSON.stringify({ key: KEY, records: {} })],
  ["no list of results", JSON.stringify({ key: KEY, records: [] })],
  ["a result is no object", entry(null)],
  ["a result is no object", entry([])],
  ['a result lacks "threshold"', entry(lacking)],
  ['"category" is 5, expected a name', entry({ ...RECORD, category: 5 })],
  ['"f1_max" is 1.5, expected a number', entry({ ...RECORD, f1_max: 1.5 })],
  ['"f1_max" is "1", expected a number', entry({ ...RECORD, f1_max: "1" })],
  ['"false_positives" is -1', entry({ ...RECORD, false_positives: -1 })],
  ['"images" is', entry({ ...RECORD, images: { train: 1, normal: 1 } })],
  ['"images" is null', entry({ ...RECORD, images: null })],
  ['"seconds" is', entry({ ...RECORD, seconds: { total: "x" } })],
  ['"seconds" is', entry({ ...RECORD, seconds: { "<b>": 1 } })],
  ['the key "<b>"', entry({ ...RECORD, "<b>": 1 })],
  ['"note" is "<b>"', entry({ ...RECORD, note: "<b>" })],
  ['"std" is', entry({ ...RECORD, std: { image_auroc: [1] } })],
  ["has the key", entry({ ...RECORD, ["x".repeat(5000)]: 1 })],
])("Journal.open() refuses a line where %s", async (why, line) => {
  await withJournal(`${entry(RECORD)}\n${line}\n`, async (path) => {
    const error = await assertRejects(() => Journal.open(path), FileError, why);
    assertEquals(
      error.message.startsWith(`Cannot resume from "${path}:2"`),
      true,
    );
    assert(error.message.length < 500, `${error.message.length} characters`);
  });
});

Deno.test("Journal.find() refuses results of another category", async () => {
  const foreign = entry({
    ...RECORD,
    category: `<img src=${"x".repeat(5000)}>`,
  });
  await withJournal(`${foreign}\n`, async (path) => {
    const journal = await Journal.open(path);
    const { message } = assertThrows(
      () => journal.find(KEY, "bolt"),
      FileError,
      'under the key of "bolt" it has results of "<img src=xx',
    );
    assert(message.length < 500, `${message.length} characters`);
  });
});
