import { assertEquals, assertThrows } from "@std/assert";
import { readArgs } from "../../src/cli/args.ts";
import { UsageError } from "../../src/cli/exit.ts";
import {
  SETTINGS_OPTIONS,
  settingsOf,
} from "../../src/cli/settings_options.ts";

const SYNTAX = {
  name: "fit",
  summary: "",
  options: SETTINGS_OPTIONS,
  examples: [],
};

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
