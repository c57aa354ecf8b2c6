import { assertEquals, assertStringIncludes } from "@std/assert";
import { warnOfReplaced } from "../../src/cli/replaced_thresholds.ts";
import { FakeTerminal } from "./fake_terminal.ts";

const rule = (scores: string) => ({ rule: "order statistic", scores });
const MADE = {
  name: "new",
  model: { threshold: { value: 5, rule: rule("held-out folds") } },
};

Deno.test("warnOfReplaced() says nothing of thresholds that a fit has set", () => {
  const fake = new FakeTerminal();
  for (
    const scores of [
      "held-out folds",
      "held-out folds, mean of members on their scales",
      "leave-one-image-out",
    ]
  ) {
    const model = { threshold: { value: 3, rule: rule(scores) } };
    warnOfReplaced([{ name: "old", model }], MADE, fake.terminal);
  }
  warnOfReplaced([{ name: "old", model: {} }], MADE, fake.terminal);
  assertEquals(fake.stderr, "");
});

Deno.test.each([
  ["none: set by hand", undefined, "that was set by hand: 3.0000, of maps"],
  ["none: set by eye on the page", undefined, "that was set by hand"],
  ["held-out good parts", undefined, "that was calibrated with good parts"],
  [
    "held-out good and bad parts",
    undefined,
    "that was calibrated with good and bad parts",
  ],
  [
    "held-out folds",
    2,
    "with a band of uncertain scores: 3.0000, uncertain from 2.0000",
  ],
])(
  "warnOfReplaced() tells of a threshold of %s, band from %s",
  (scores, uncertainFrom, told) => {
    const fake = new FakeTerminal();
    const threshold = {
      value: 3,
      rule: rule(scores),
      ...(uncertainFrom !== undefined && { uncertainFrom }),
    };
    const models = [{ name: "old", model: { threshold } }];
    warnOfReplaced(models, MADE, fake.terminal);
    assertStringIncludes(fake.stderr, `warning: "old" had a threshold ${told}`);
    assertStringIncludes(fake.stderr, '"new" has that of its training images');
    assertStringIncludes(
      fake.stderr,
      `"calibrate new --set ${
        uncertainFrom === undefined ? "" : "2.."
      }3 --map-threshold 3 --overwrite"`,
    );
    assertEquals(fake.stderr.trimEnd().split("\n").length, 1);
    warnOfReplaced(models, { name: "none", model: {} }, fake.terminal);
    assertStringIncludes(
      fake.stderr,
      '"none" has none, as its training images',
    );
  },
);
