import type { NamedImage } from "../core/mod.ts";
import { demoSet } from "../core/demo/demo_set.ts";
import { FLANGE } from "../core/demo/flange.ts";

/** How many parts are drawn: few, so that a slow GPU is done soon. */
const DEMO_PARTS = { train: 8, good: 2, defective: 1 };

/** Drawn parts: good ones to teach, and others to inspect. */
export function demoParts(): {
  readonly good: readonly NamedImage[];
  readonly others: readonly NamedImage[];
} {
  const images = [...demoSet(FLANGE, DEMO_PARTS)];
  const of = (wanted: string): NamedImage[] =>
    images.filter(({ split }) => split === wanted)
      .map(({ path, pixels }) => ({ name: path, content: pixels }));
  return { good: of("train"), others: of("test") };
}
