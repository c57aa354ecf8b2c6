import { assertEquals, assertThrows } from "@std/assert";
import { readArgs } from "../../src/cli/args.ts";
import { UsageError } from "../../src/cli/exit.ts";
import {
  SETTINGS_OPTIONS,
  settingsOf,
} from "../../src/cli/settings_options.ts";
import { resolveSettings } from "../../src/core/settings/resolve_settings.ts";
import type { Settings } from "../../src/core/settings/settings.ts";

const SYNTAX = {
  name: "fit",
  summary: "",
  options: SETTINGS_OPTIONS,
  examples: [],
};

function settings(...argv: readonly string[]): Settings {
  const { values } = readArgs(argv, SYNTAX);
  return resolveSettings(settingsOf(values));
}

function layersOf(...args: string[]): readonly string[] | undefined {
  return settingsOf(readArgs(args, SYNTAX).values).layers;
}

Deno.test("settingsOf() taps blocks before the final normalisation with --tap-norm off", () => {
  const layers = "--layers=blocks.5,blocks.last";
  assertEquals(layersOf(layers), ["blocks.5", "blocks.last"]);
  assertEquals(layersOf(layers, "--tap-norm=on"), ["blocks.5", "blocks.last"]);
  assertEquals(layersOf(layers, "--tap-norm=off"), [
    "blocks.5.raw",
    "blocks.last.raw",
  ]);
});

Deno.test.each([
  [["--tap-norm=off"], "Cannot use --tap-norm off with no --layers"],
  [
    ["--tap-norm=off", "--layers=layer2"],
    "Cannot use --tap-norm off with --layers layer2: expected blocks of a transformer",
  ],
])("settingsOf() refuses %j", (args, message) => {
  assertThrows(() => layersOf(...args), UsageError, message);
});

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
