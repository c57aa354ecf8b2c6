import { Counter, Gauge, Histogram, Registry } from "npm:prom-client@15.1.3";
import { VERSION } from "../../core/settings/version.ts";
import type { DriftFacts } from "../drift_monitor.ts";
import type { Inspected } from "./inspection_queue.ts";

/** What gauges are read from when metrics are asked for. */
interface MetricSources {
  /** Images that are held now. */
  readonly images: () => number;
  /** Images that may be held. */
  readonly limit: number;
  /** Resident memory of the process, in bytes. */
  readonly memory: () => number;
  /** Models that are loaded, by name. */
  readonly models: readonly string[];
  /** Models of a folder that are loaded now, and their GPU bytes. */
  readonly loaded?: () => { readonly models: number; readonly bytes: number };
  /** How scores compare with those of training, by model. */
  readonly drift?: () => readonly DriftFacts[];
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Scores as multiples of the threshold: a drift shows below 1. */
const RATIOS = [0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4];
const BATCHES = [1, 2, 4, 8, 16, 32, 64];

/** What the service counts, as Prometheus reads it. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: "patchcore_requests_total",
    help: "Requests that were answered",
    labelNames: ["route", "status"],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "patchcore_request_duration_seconds",
    help: "Time from a request to its answer",
    labelNames: ["route"],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #images = new Counter({
    name: "patchcore_images_total",
    help:
      "Images that were inspected, by label (unjudged without a threshold), or could not be used (failed)",
    labelNames: ["model", "outcome"],
    registers: [this.#registry],
  });
  readonly #ratios = new Histogram({
    name: "patchcore_score_ratio",
    help: "Image score divided by the model's threshold",
    labelNames: ["model"],
    buckets: RATIOS,
    registers: [this.#registry],
  });
  readonly #batches = new Histogram({
    name: "patchcore_batch_images",
    help: "Images that the GPU worked on at once",
    labelNames: ["model"],
    buckets: BATCHES,
    registers: [this.#registry],
  });
  readonly #batchSeconds = new Histogram({
    name: "patchcore_batch_duration_seconds",
    help: "Time that the GPU took for a batch",
    labelNames: ["model"],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #losses = new Counter({
    name: "patchcore_gpu_losses_total",
    help: "Times that the GPU device was lost and opened again",
    registers: [this.#registry],
  });

  #changes: Counter<"change"> | undefined;

  /** Counts from zero. */
  constructor(
    { images, limit, memory, models, loaded, drift }: MetricSources,
  ) {
    const registers = [this.#registry];
    if (drift !== undefined) watchDrift(drift, registers);
    if (loaded !== undefined) this.#countModels(loaded, registers);
    new Gauge({
      name: "patchcore_queue_images",
      help: "Images that the service holds, waiting or being worked on",
      registers,
      collect(): void {
        this.set(images());
      },
    });
    new Gauge({
      name: "patchcore_queue_limit_images",
      help: "Images that the service holds at most",
      registers,
    }).set(limit);
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory of the process",
      registers,
      collect(): void {
        this.set(memory());
      },
    });
    new Gauge({
      name: "patchcore_build_info",
      help: "Version of the program",
      labelNames: ["version"],
      registers,
    }).set({ version: VERSION }, 1);
    for (const model of models) {
      for (const outcome of ["normal", "anomalous", "failed"]) {
        this.#images.inc({ model, outcome }, 0);
      }
    }
  }

  #countModels(
    loaded: NonNullable<MetricSources["loaded"]>,
    registers: Registry[],
  ): void {
    new Gauge({
      name: "patchcore_models_loaded",
      help: "Models of the folder that are on the GPU",
      registers,
      collect(): void {
        this.set(loaded().models);
      },
    });
    new Gauge({
      name: "patchcore_models_gpu_bytes",
      help: "GPU memory that they take",
      registers,
      collect(): void {
        this.set(loaded().bytes);
      },
    });
    const changes = this.#changes = new Counter({
      name: "patchcore_model_changes_total",
      help: "Models of the folder that were loaded and evicted",
      labelNames: ["change"],
      registers,
    });
    for (const change of ["loaded", "evicted"]) changes.inc({ change }, 0);
  }

  /** Media type of {@linkcode Metrics.text}. */
  get type(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts an answered request. */
  request(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status });
    this.#seconds.observe({ route }, seconds);
  }

  /** Counts an inspected image. */
  image(model: string, { label, normalizedScore }: Inspected): void {
    this.#images.inc({ model, outcome: label ?? "unjudged" });
    if (normalizedScore !== null) {
      this.#ratios.observe({ model }, normalizedScore);
    }
  }

  /** Counts an image that could not be used. */
  failure(model: string): void {
    this.#images.inc({ model, outcome: "failed" });
  }

  /** Counts a batch that the GPU has done. */
  batch(model: string, images: number, seconds: number): void {
    this.#batches.observe({ model }, images);
    this.#batchSeconds.observe({ model }, seconds);
  }

  /** Counts a model of the folder that was loaded or evicted. */
  model(change: "loaded" | "evicted"): void {
    this.#changes?.inc({ change });
  }

  /** Counts a loss of the GPU device. */
  loss(): void {
    this.#losses.inc();
  }
}

/** Gauges of drift, by model; what is not known of a model is left out. */
function watchDrift(
  drift: () => readonly DriftFacts[],
  registers: Registry[],
): void {
  const gauges: readonly (readonly [
    name: string,
    help: string,
    value: (facts: DriftFacts) => number | null,
  ])[] = [
    [
      "patchcore_score_stability_index",
      "Population stability index of recent normal scores against training's",
      (facts) => facts.stability_index,
    ],
    [
      "patchcore_score_stability_index_chance",
      "What that index may be by chance, once in a thousand",
      (facts) => facts.stability_by_chance,
    ],
    [
      "patchcore_above_threshold_ratio",
      "Share of recent images at or above the threshold",
      (facts) => facts.above_threshold,
    ],
    [
      "patchcore_promised_false_alarm_ratio",
      "Share of good parts that the threshold promised to call anomalous",
      (facts) => facts.promised,
    ],
    [
      "patchcore_drift_images",
      "Recent images that were compared",
      (facts) => facts.images,
    ],
    [
      "patchcore_fit_due",
      "1 where a new fit is due, else 0",
      (facts) =>
        facts.state === "unknown" ? null : Number(facts.state === "fit due"),
    ],
  ];
  for (const [name, help, value] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ["model"],
      registers,
      collect(): void {
        this.reset();
        for (const facts of drift()) {
          const number = value(facts);
          if (number !== null) this.set({ model: facts.model }, number);
        }
      },
    });
  }
}
