import { calibrate } from "./calibrate.ts";
import type { Command } from "./command.ts";
import { completions } from "./completions.ts";
import { demo } from "./demo.ts";
import { evaluate } from "./evaluate.ts";
import { fit } from "./fit.ts";
import { info } from "./info.ts";
import { merge } from "./merge.ts";
import { predict } from "./predict.ts";
import { serve } from "./serve.ts";
import { watch } from "./watch.ts";
import { weights } from "./weights.ts";

/** The commands of the program, in the order of `--help`. */
export const COMMANDS: readonly Command[] = [
  fit,
  merge,
  predict,
  evaluate,
  calibrate,
  demo,
  serve,
  watch,
  info,
  weights,
  completions(() => COMMANDS),
];
