import { assert, assertEquals } from "@std/assert";
import {
  DriftMonitor,
  type WatchedModel,
} from "../../src/cli/drift_monitor.ts";
import { Metrics } from "../../src/cli/serve/metrics.ts";
import { scoreReference } from "../../src/core/threshold/score_drift.ts";

const MODEL: WatchedModel = {
  name: "part",
  sha256: "a".repeat(64),
  training_scores:
    scoreReference(Array.from({ length: 200 }, (_, i) => i / 200)) ?? null,
  promised_false_alarms: 0.05,
};

interface Setup {
  readonly drift: DriftMonitor;
  readonly daily: string[];
  readonly due: string[];
  pass(hours: number): void;
}

function setup(): Setup {
  let now = 0;
  const daily: string[] = [];
  const due: string[] = [];
  const drift = new DriftMonitor({
    onDaily: ({ model, state }) => daily.push(`${model}: ${state}`),
    onDue: (sentence) => due.push(sentence),
    clock: () => now,
  });
  return { drift, daily, due, pass: (hours) => now += hours * 3_600_000 };
}

/** So many normal scores as in training, moved. */
function normal(drift: DriftMonitor, count: number, shift = 0): void {
  for (let i = 0; i < count; i++) {
    const score = (i * 61 % 200) / 200 + shift;
    drift.add(MODEL, { score, label: "normal" });
  }
}

Deno.test("DriftMonitor says nothing of few images, then that all is steady", () => {
  const { drift, due } = setup();
  normal(drift, 99);
  assertEquals(drift.facts()[0]!.state, "unknown");
  normal(drift, 201);
  const [facts] = drift.facts();
  assertEquals(facts!.state, "steady");
  assertEquals(facts!.images, 300);
  assert(facts!.stability_index! < 0.05);
  assertEquals(due, []);
});

Deno.test("DriftMonitor tells once that a fit is due", () => {
  const { drift, due } = setup();
  normal(drift, 300, 0.5);
  assertEquals(drift.facts()[0]!.state, "fit due");
  assertEquals(due.length, 1);
  assert(due[0]!.startsWith('A new fit of model "part" is due'), due[0]);
  normal(drift, 1000);
  assertEquals(drift.facts()[0]!.state, "steady");
  normal(drift, 1000, 0.5);
  assertEquals(due.length, 2);
});

Deno.test("DriftMonitor tells alarms beyond the promise from a shift", () => {
  const { drift, due } = setup();
  normal(drift, 200);
  for (let i = 0; i < 60; i++) {
    drift.add(MODEL, { score: 3, label: "anomalous" });
  }
  const [facts] = drift.facts();
  assertEquals(facts!.state, "alarms");
  assertEquals(facts!.above_threshold, 60 / 260);
  assertEquals(due, []);
});

Deno.test("DriftMonitor tells daily, and recalls nothing of another version", () => {
  const { drift, daily, pass } = setup();
  drift.recall("b".repeat(64), { score: 1, label: "normal" });
  drift.recall(MODEL.sha256, { score: 1, label: "normal" });
  drift.recall(MODEL.sha256, { score: 1, label: null });
  normal(drift, 1);
  assertEquals(drift.facts()[0]!.images, 2);
  pass(23);
  drift.tick();
  assertEquals(daily, []);
  pass(1);
  drift.tick();
  drift.tick();
  assertEquals(daily, ["part: unknown"]);
  drift.add({ ...MODEL, sha256: "c".repeat(64) }, {
    score: 1,
    label: "normal",
  });
  assertEquals(drift.facts().map(({ images }) => images), [1]);
});

Deno.test("Metrics has what a monitor knows, and no more", async () => {
  const { drift } = setup();
  const metrics = new Metrics({
    images: () => 0,
    limit: 1,
    memory: () => 1,
    models: ["part"],
    drift: () => drift.facts(),
  });
  normal(drift, 50);
  let text = await metrics.text();
  assert(text.includes('patchcore_drift_images{model="part"} 50'), text);
  assert(!text.includes('patchcore_fit_due{model="part"}'), text);
  normal(drift, 500, 0.5);
  text = await metrics.text();
  assert(text.includes('patchcore_fit_due{model="part"} 1'), text);
  assert(/patchcore_score_stability_index\{model="part"\} \d/.test(text), text);
});
