import {
  ANOTHER,
  FEWEST_RECENT,
  leastShare,
  type ScoreReference,
  SHIFTED,
  shiftOf,
} from "../core/threshold/score_drift.ts";
import type { Label } from "../core/score/verdict.ts";

/** Judged images that are remembered of a model. */
const RECENT = 1000;

/** Judged images after which it is looked at anew whether a fit is due. */
const STRIDE = 100;

const DAY = 24 * 3600 * 1000;

/** A model whose scores are watched. */
export interface WatchedModel {
  /** What it is called. */
  readonly name: string;
  /** SHA-256 of its file: scores of another version do not compare. */
  readonly sha256: string;
  /** What the training images scored; null where they are too few. */
  readonly training_scores: ScoreReference | null;
  /** Share of good parts that it promised to call anomalous, if it did. */
  readonly promised_false_alarms: number | null;
}

/** What of a prediction counts. */
interface Judged {
  readonly score: number;
  readonly label: Label | null;
}

/** What the recent scores of a model say; keys are a contract. */
export interface DriftFacts {
  /** The model. */
  readonly model: string;
  /** Recent images that were judged. */
  readonly images: number;
  /** Those with a normal verdict. */
  readonly normal: number;
  /** Population stability index of their scores; null where they are too few. */
  readonly stability_index: number | null;
  /** What it may be by chance. */
  readonly stability_by_chance: number | null;
  /** Share of the images at or above the threshold; null without images. */
  readonly above_threshold: number | null;
  /** Share of good parts that the threshold promised; null without a promise. */
  readonly promised: number | null;
  /**
   * `fit due`: scores of good parts are distributed otherwise than in training.
   * `shifting`: they are on the way. `alarms`: more images are anomalous than was
   * promised, as where parts are worse. `unknown`: too few images.
   */
  readonly state: "steady" | "shifting" | "alarms" | "fit due" | "unknown";
}

interface Window {
  readonly judged: Judged[];
  /** Images since it was looked at. */
  since: number;
}

/** Who is told. */
interface DriftOptions {
  /** Called once a day, and when the service is asked. */
  readonly onDaily: (facts: DriftFacts) => void;
  /** Called with a sentence when a fit becomes due. */
  readonly onDue: (sentence: string) => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** Compares the recent scores of models with those of their training. */
export class DriftMonitor {
  readonly #options: DriftOptions;
  readonly #windows = new Map<string, Window>();
  /** The newest version of each model that was used. */
  readonly #models = new Map<string, WatchedModel>();
  readonly #due = new Set<string>();
  #told: number;

  /** The first day begins now. */
  constructor(options: DriftOptions) {
    this.#options = options;
    this.#told = this.#now();
  }

  /** Remembers what was found before, without telling anybody. */
  recall(sha256: string, { score, label }: Judged): void {
    if (label === null) return;
    const window = this.#windowOf(sha256);
    window.judged.push({ score, label });
    if (window.judged.length > RECENT) window.judged.shift();
  }

  /** Counts an image that was judged now. */
  add(model: WatchedModel, judged: Judged): void {
    const before = this.#models.get(model.name);
    if (before?.sha256 !== model.sha256) {
      this.#models.set(model.name, model);
      this.#due.delete(model.name);
    }
    this.recall(model.sha256, judged);
    const window = this.#windowOf(model.sha256);
    if (++window.since < STRIDE) return;
    window.since = 0;
    const facts = this.#factsOf(model);
    if (facts.state !== "fit due") this.#due.delete(model.name);
    else if (!this.#due.has(model.name)) {
      this.#due.add(model.name);
      this.#options.onDue(dueLine(facts));
    }
  }

  /** What the models that were used score now. */
  facts(): DriftFacts[] {
    return [...this.#models.values()].map((model) => this.#factsOf(model));
  }

  /** Tells of every model that was used, if a day has passed. */
  tick(): void {
    if (this.#now() - this.#told < DAY) return;
    this.#told = this.#now();
    for (const facts of this.facts()) {
      this.#options.onDaily(facts);
      if (facts.state === "fit due") this.#options.onDue(dueLine(facts));
    }
  }

  #now(): number {
    return (this.#options.clock ?? Date.now)();
  }

  #windowOf(sha256: string): Window {
    let window = this.#windows.get(sha256);
    if (window === undefined) {
      this.#windows.set(sha256, window = { judged: [], since: 0 });
    }
    return window;
  }

  #factsOf(model: WatchedModel): DriftFacts {
    const { judged } = this.#windowOf(model.sha256);
    const { training_scores: reference } = model;
    const { promised_false_alarms: promised } = model;
    const normal = judged.filter(({ label }) => label === "normal")
      .map(({ score }) => score);
    const above = judged.filter(({ label }) => label === "anomalous").length;
    const shift = reference === null ? undefined : shiftOf(reference, normal);
    const exceeds = promised !== null && judged.length >= FEWEST_RECENT &&
      leastShare(above, judged.length) > promised;
    const beyond = (limit: number): boolean =>
      shift !== undefined && shift.index >= Math.max(limit, shift.chance);
    return {
      model: model.name,
      images: judged.length,
      normal: normal.length,
      stability_index: shift?.index ?? null,
      stability_by_chance: shift?.chance ?? null,
      above_threshold: judged.length === 0 ? null : above / judged.length,
      promised,
      state: beyond(ANOTHER)
        ? "fit due"
        : exceeds
        ? "alarms"
        : beyond(SHIFTED)
        ? "shifting"
        : shift === undefined
        ? "unknown"
        : "steady",
    };
  }
}

function dueLine(
  { model, normal, stability_index: index, stability_by_chance: chance }:
    DriftFacts,
): string {
  return `A new fit of model "${model}" is due: the scores of the last ${normal} normal images are distributed otherwise than those of its training images (population stability index ${
    index!.toFixed(2)
  }, expected below ${
    Math.max(ANOTHER, chance!).toFixed(2)
  }); look at light, camera and parts, then fit with recent good images`;
}
