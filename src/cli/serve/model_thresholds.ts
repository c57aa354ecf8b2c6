import type { ThresholdChange } from "../../core/mod.ts";
import { UsageError } from "../exit.ts";
import { didYouMean } from "../nearest.ts";
import { parseThresholds } from "../threshold_options.ts";

/**
 * The thresholds of `serve --threshold`, by the names of models.
 *
 * @param given `[NAME=]X` or `[NAME=]LOW..HIGH`; the name may be left out where
 * there is one model.
 * @throws {UsageError} If one cannot be understood or a model gets two.
 */
export function thresholdsOf(
  given: readonly string[] = [],
  names: readonly string[],
): Map<string, ThresholdChange> {
  const thresholds = new Map<string, ThresholdChange>();
  for (const text of given) {
    const at = text.lastIndexOf("=");
    const name = at < 0 && names.length === 1 ? names[0]! : text.slice(0, at);
    if (at < 0 && names.length > 1) {
      throw new UsageError(
        `Cannot use --threshold "${text}": there are several models, write NAME=${text} with a name of ${
          names.join(", ")
        }`,
      );
    }
    if (!names.includes(name)) {
      throw new UsageError(
        `Cannot use --threshold "${text}": there is no model "${name}", expected ${
          names.join(" or ")
        }${didYouMean(name, names)}`,
      );
    }
    if (thresholds.has(name)) {
      throw new UsageError(
        `Cannot use --threshold "${text}": model "${name}" has one already`,
      );
    }
    thresholds.set(name, parseThresholds("--threshold", text.slice(at + 1)));
  }
  return thresholds;
}
