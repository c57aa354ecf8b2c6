import type { OnProgress, Stage } from "../core/mod.ts";
import type { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const LABELS: Readonly<Record<Stage, readonly [label: string, unit: string]>> =
  {
    features: ["Features", "images"],
    coreset: ["Coreset", "picks"],
    threshold: ["Threshold", "images"],
    "bank rows": ["Bank rows", "images"],
    "map threshold": ["Map threshold", "images"],
    predict: ["Predict", "images"],
  };

/**
 * Shows the stages of long work one after the other. What is done when a stage is
 * first told of has taken a time that nobody knows: rates leave it out.
 */
export function stageProgress(
  terminal: Terminal,
): OnProgress & Disposable {
  let stage: Stage | undefined;
  let progress: Progress | undefined;
  const show: OnProgress = (current, done, total) => {
    if (stage !== current) {
      progress?.end();
      const [label, unit] = LABELS[current];
      progress = terminal.progress(label, { total, unit, from: done });
      stage = current;
    }
    progress?.set(done);
  };
  return Object.assign(show, { [Symbol.dispose]: () => progress?.end() });
}
