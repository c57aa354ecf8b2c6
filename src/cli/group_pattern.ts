import { UsageError } from "./exit.ts";
import type { Option } from "./options.ts";

/** What tells the images of a part. */
export const GROUP_BY_OPTION = {
  kind: "text",
  value: "REGEX",
  help:
    "images in whose paths this finds the same (its first group, if it has one) show one part",
} as const satisfies Option;

/**
 * The pattern of `--group-by`.
 *
 * @throws {UsageError} If it is no regular expression.
 */
export function groupPattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "u");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot use --group-by "${text}": ${why}`);
  }
}
