import type { PatchCore, Prediction } from "../core/mod.ts";
import type { GreyImage } from "../core/images/png.ts";
import { PixelMetrics } from "../core/metrics/pixel_metrics.ts";
import {
  imageCurves,
  pixelCurves,
  Report,
  type ReportCurve,
  type ReportRow,
} from "../core/report/mod.ts";
import { VERSION } from "../core/settings/version.ts";
import { trainingReader } from "./prediction_report.ts";

/** Takes the images of one product. */
interface DemoCategory {
  /** Adds a test image, with the mask of its defect if it has one. */
  add(prediction: Prediction, mask: GreyImage | undefined): void;
  /** Draws the curves of the images so far. */
  finish(): void;
}

/** Gathers what the demo finds for its report. */
export class DemoReport {
  readonly #report = new Report();
  readonly #curves: ReportCurve[] = [];

  /** Starts a product. */
  category(group: string): DemoCategory {
    const pixels = new PixelMetrics();
    const rows: Pick<ReportRow, "score" | "truth">[] = [];
    return {
      add: (prediction, mask): void => {
        const truth = mask === undefined ? "normal" : "anomalous";
        const { score, map: { data, width, height } } = prediction;
        this.#report.add(prediction, { truth, group });
        rows.push({ score, truth });
        pixels.add(data, mask && Uint8Array.from(mask.grey), {
          width,
          height,
          defective: mask !== undefined,
        });
      },
      finish: (): void => {
        const curves = [...imageCurves(rows), ...pixelCurves(pixels.result())];
        this.#curves.push(...curves.map((curve) => ({ ...curve, group })));
      },
    };
  }

  /** The report: a whole HTML page as text. */
  async render({ settings, adapterName }: PatchCore): Promise<string> {
    return await this.#report.render({
      title: "Demo: parts drawn on the spot",
      facts: [
        ["Backbone", "demo: fixed filters, nothing learned"],
        ["Adapter", adapterName],
        ["Software", `@patchcore/webgpu ${VERSION}`],
        ["Written", new Date().toISOString()],
      ],
      settings,
      curves: this.#curves,
      readTraining: trainingReader(settings),
    });
  }
}
