import { assertEquals, assertThrows } from "@std/assert";
import { readArgs } from "../../src/cli/args.ts";
import { UsageError } from "../../src/cli/exit.ts";
import { SYNTAX } from "./example_syntax.ts";

const MODEL = ["--model", "m"];

Deno.test("readArgs() gives operands, values and defaults", () => {
  assertEquals(readArgs(["a.png", "7", "--model=out/m"], SYNTAX), {
    operands: ["a.png", "7"],
    values: {
      model: "out/m",
      preset: "paper",
      layers: undefined,
      maps: undefined,
      coreset: 0.1,
      crop: undefined,
      maxBank: 100,
      failOnAnomaly: false,
      help: false,
    },
  });
});

Deno.test("readArgs() converts values to their options' kinds", () => {
  const { operands, values } = readArgs(
    [
      "--layers",
      "layer2,layer3",
      "--layers=layer1",
      "--maps=npy",
      "--coreset=1e-2",
      "--crop=224",
      "--max-bank",
      "none",
      "-f",
      ...MODEL,
      "--",
      "--odd.png",
    ],
    SYNTAX,
  );
  assertEquals(operands, ["--odd.png"]);
  assertEquals(values.layers, ["layer2", "layer3", "layer1"]);
  assertEquals(values.maps, ["npy"]);
  assertEquals(values.coreset, 0.01);
  assertEquals(values.crop, 224);
  assertEquals(values.maxBank, "none");
  assertEquals(values.failOnAnomaly, true);
  assertEquals(
    readArgs(["a", ...MODEL, "--no-crop"], SYNTAX).values.crop,
    false,
  );
});

Deno.test("readArgs() lets --help go without operands and required options", () => {
  assertEquals(readArgs(["-h"], SYNTAX).values.help, true);
});

Deno.test.each([
  [["a", "--modle", "m"], 'Unknown option "--modle"; did you mean "--model"?'],
  [["a", "--no-preset", "x"], 'Unknown option "--no-preset"'],
  [["a", "-x"], 'Unknown option "-x"'],
  [["a", "--model"], "Option --model needs a value"],
  [["a", "--model", "--json"], 'Unknown option "--json"'],
  [["a", "--crop", "-5"], 'Unknown option "-5"'],
  [["a"], "Option --model FILE is missing: model file to write"],
  [MODEL, "IMAGES missing: expected image files or folders"],
  [
    ["a", ...MODEL, "--preset", "papr"],
    'Cannot use --preset "papr": expected paper or reference or anomalib; did you mean "paper"?',
  ],
  [
    ["a", ...MODEL, "--maps", "npy,jpg"],
    'Cannot use --maps "jpg": expected npy or png or tiff',
  ],
  [["a", ...MODEL, "--maps", "npy,"], "Option --maps needs a value"],
  [
    ["a", ...MODEL, "--coreset", "0"],
    'Cannot use --coreset "0": expected a number above 0 and at most 1',
  ],
  [["a", ...MODEL, "--coreset", "1.5"], "at most 1"],
  [["a", ...MODEL, "--coreset", "ten"], 'Cannot use --coreset "ten"'],
  [["a", ...MODEL, "--coreset", "0x1"], 'Cannot use --coreset "0x1"'],
  [
    ["a", ...MODEL, "--crop", "2.5"],
    'Cannot use --crop "2.5": expected an integer of at least 1, in pixels',
  ],
  [["a", ...MODEL, "--crop=-5"], "an integer of at least 1"],
  [
    ["a", ...MODEL, "--max-bank", "all"],
    'Cannot use --max-bank "all": expected an integer of at least 1, or none',
  ],
  [
    ["a", ...MODEL, "--fail-on-anomaly=yes"],
    "Option --fail-on-anomaly takes no value",
  ],
])("readArgs() refuses %j", (argv, message) => {
  assertThrows(() => readArgs(argv, SYNTAX), UsageError, message);
});

Deno.test("readArgs() refuses operands a command does not take", () => {
  const syntax = { name: "info", summary: "", options: {}, examples: [] };
  assertThrows(
    () => readArgs(["x"], syntax),
    UsageError,
    'Unexpected argument "x"',
  );
  const operands = { name: "FILE", help: "a file", min: 0, max: 1 };
  assertThrows(
    () => readArgs(["x", "y"], { ...syntax, operands }),
    UsageError,
    'Unexpected argument "y": expected at most 1 FILE',
  );
});
