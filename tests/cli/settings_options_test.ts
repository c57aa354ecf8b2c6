import { assertEquals, assertThrows } from "@std/assert";
import { readArgs } from "../../src/cli/args.ts";
import { UsageError } from "../../src/cli/exit.ts";
import {
  SETTINGS_OPTIONS,
  settingsOf,
} from "../../src/cli/settings_options.ts";
import { resolveSettings } from "../../src/core/settings/resolve_settings.ts";
import type { Settings } from "../../src/core/settings/settings.ts";

function settings(...argv: readonly string[]): Settings {
  const { values } = readArgs(argv, {
    name: "settings",
    summary: "",
    options: SETTINGS_OPTIONS,
    examples: [],
  });
  return resolveSettings(settingsOf(values));
}

for (
  const [score, expected] of [
    ["max", { reweight: 0, topShare: null }],
    ["weighted", { reweight: 9, topShare: null }],
    ["top:1%", { reweight: 0, topShare: 0.01 }],
    ["top:0.05", { reweight: 0, topShare: 0.05 }],
    ["top:2.5%", { reweight: 0, topShare: 0.025 }],
  ] as const
) {
  Deno.test(`settingsOf() understands --score ${score}`, () => {
    const { reweight, topShare } = settings("--score", score);
    assertEquals({ reweight, topShare }, expected);
  });
}

for (const score of ["top", "top:0", "top:150%", "mean", "top:-1%"]) {
  Deno.test(`settingsOf() refuses --score ${score}`, () => {
    assertThrows(
      () => settings("--score", score),
      UsageError,
      `Cannot use --score ${score}: expected max, weighted, or a share`,
    );
  });
}

Deno.test("settingsOf() understands views of training images", () => {
  const none = { rotations: 1, flips: false, brightness: 0 };
  assertEquals(settings().augment, none);
  assertEquals(settings("--rotations", "4").augment, {
    ...none,
    rotations: 4,
  });
  assertEquals(
    settings("--augment", "flips,rotations,brightness").augment,
    { rotations: 8, flips: true, brightness: 0.2 },
  );
  assertEquals(
    settings("--augment", "rotations", "--rotations", "6").augment.rotations,
    6,
  );
});

Deno.test("settingsOf() changes single switches of AnomalyDINO's preset", () => {
  const given = settings(
    ...["--preset", "anomalydino", "--foreground", "on"],
    ...["--morphology", "grid", "--coreset", "0.1", "--multiple", "16"],
    ...["--distance", "euclidean", "--resample", "bilinear"],
  );
  assertEquals(given.foreground, {
    mask: "on",
    morphology: "grid",
    threshold: 10,
  });
  assertEquals(given.coreset.method, "greedy");
  assertEquals(
    [given.multiple, given.distance, given.resample],
    [16, "euclidean", "bilinear"],
  );
});
