import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { PRESETS } from "../../../src/core/settings/presets.ts";
import {
  bankRows,
  resolveSettings,
  settingsFromJson,
} from "../../../src/core/settings/resolve_settings.ts";
import type { SettingsOptions } from "../../../src/core/settings/settings.ts";

Deno.test("resolveSettings() starts from the paper preset", () => {
  assertEquals(resolveSettings(), PRESETS.paper);
  assertEquals(resolveSettings({ preset: "anomalib" }), PRESETS.anomalib);
});

Deno.test("resolveSettings() overrides single switches of nested groups", () => {
  const settings = resolveSettings({
    preset: "reference",
    coreset: { maxBank: 500 },
    map: { sigma: 2.5 },
    threshold: { quantile: 0.99 },
    layers: ["layer1"],
  });
  assertEquals(settings.coreset, {
    ...PRESETS.reference.coreset,
    maxBank: 500,
  });
  assertEquals(settings.map.sigma, 2.5);
  assertEquals(settings.map.border, "symmetric");
  assertEquals(settings.threshold, {
    falseAlarms: 0.05,
    quantile: 0.99,
    mapQuantile: null,
    factor: 1,
  });
  assertEquals(settings.layers, ["layer1"]);
});

Deno.test("resolveSettings() takes a number as the coreset's ratio", () => {
  assertEquals(resolveSettings({ coreset: 0.01 }).coreset.ratio, 0.01);
  assertEquals(resolveSettings({ coreset: 0.01 }).coreset.method, "greedy");
});

Deno.test("resolveSettings() treats undefined as not given", () => {
  const options = { crop: undefined, map: { sigma: undefined } };
  assertEquals(
    resolveSettings(options as unknown as SettingsOptions),
    PRESETS.paper,
  );
});

Deno.test("resolveSettings() keeps every patch when the method is none", () => {
  const { coreset } = resolveSettings({ coreset: { method: "none" } });
  assertEquals(coreset.ratio, 1);
});

Deno.test("settingsFromJson() returns what JSON kept", () => {
  for (const settings of Object.values(PRESETS)) {
    const json = JSON.parse(JSON.stringify(settings));
    assertEquals(settingsFromJson(json), settings);
  }
});

Deno.test("settingsFromJson() keeps a normalisation, and that none is given", () => {
  assert(!("normalise" in resolveSettings()));
  const mean = [0.5, 0.4, 0.3] as const;
  for (const normalise of ["bytes", { mean, std: mean }] as const) {
    const settings = resolveSettings({ normalise });
    const json = JSON.parse(JSON.stringify(settings));
    assertEquals(settingsFromJson(json).normalise, normalise);
  }
});

Deno.test("settingsFromJson() keeps a range, and that none is given", () => {
  assert(!("range" in resolveSettings()));
  const range = { low: -0.5, high: 4095 };
  const json = JSON.parse(JSON.stringify(resolveSettings({ range })));
  assertEquals(settingsFromJson(json).range, range);
  for (
    const [wrong, reason] of [
      [{ low: 5, high: 5 }, "low to be below high"],
      [{ low: 0 }, 'Setting "range.high" is missing'],
      [{ low: 0, high: Infinity }, "a finite number"],
      [{ low: -1e308, high: 1e308 }, "low to be below high"],
      ["auto", "an object"],
    ] as const
  ) {
    assertThrows(
      () => settingsFromJson({ ...json, range: wrong }),
      Error,
      reason,
    );
  }
});

Deno.test("settingsFromJson() names what is missing or unknown", () => {
  const { sigma: _, ...map } = PRESETS.paper.map;
  const missing = assertThrows(
    () => settingsFromJson({ ...PRESETS.paper, map }),
    TypeError,
  );
  assertEquals(missing.message, 'Setting "map.sigma" is missing');
  const unknown = assertThrows(
    () => settingsFromJson({ ...PRESETS.paper, patch_size: 3 }),
    TypeError,
  );
  assertStringIncludes(unknown.message, 'Unknown setting "patch_size"');
});

const REFUSED: readonly [unknown, ErrorConstructor, string][] = [
  [
    { resize: 2 ** 30, crop: null },
    RangeError,
    "Cannot use resize 1073741824: expected an integer from 1 to 16384",
  ],
  [
    { crop: 20_000 },
    RangeError,
    "Cannot use crop 20000: expected an integer from 1 to 16384",
  ],
  [
    { dim: 1e9 },
    RangeError,
    "Cannot use dim 1000000000: expected an integer from 1 to 16384",
  ],
  [
    { layerDim: 2 ** 31 },
    RangeError,
    "Cannot use layerDim 2147483648: expected an integer from 1 to 16384",
  ],
  [
    { patchSize: 65 },
    RangeError,
    "Cannot use patchSize 65: expected an odd integer from 1 to 63, so that a patch has a centre",
  ],
  [
    { stride: 1e6 },
    RangeError,
    "Cannot use stride 1000000: expected an integer from 1 to 1024",
  ],
  [
    { map: { sigma: 1e9 } },
    RangeError,
    "Cannot use map.sigma 1000000000: expected a number from 0 to 256",
  ],
  [
    { coreset: { maxBank: 2 ** 40 } },
    RangeError,
    "Cannot use coreset.maxBank 1099511627776: expected an integer from 1 to 2147483647",
  ],
  [
    { coreset: { projection: { kind: "gaussian", dim: 5000 } } },
    RangeError,
    "Cannot use coreset.projection.dim 5000: expected an integer from 1 to 4096",
  ],
  [
    { threshold: { falseAlarms: 0.9 } },
    RangeError,
    "Cannot use threshold.falseAlarms 0.9: expected a number above 0 and at most 0.5",
  ],
  [
    { threshold: { factor: 1e300 } },
    RangeError,
    "Cannot use threshold.factor 1e+300: expected a number above 0 and at most 1000000",
  ],
  [
    { layers: Array.from({ length: 17 }, (_, i) => `layer${i}`) },
    RangeError,
    "Cannot use 17 layers: expected 16 at most",
  ],
  [
    { layers: ["x".repeat(1001)] },
    RangeError,
    `Cannot use layers ["${
      "x".repeat(98)
    }…: expected names of at most 1000 characters`,
  ],
  [
    { preset: "fast" },
    RangeError,
    'Cannot use preset "fast": expected one of paper, reference, anomalib, anomalydino, dino',
  ],
  [
    { patchSize: 4 },
    RangeError,
    "Cannot use patchSize 4: expected an odd integer from 1 to 63, so that a patch has a centre",
  ],
  [
    { patchSize: "3" },
    TypeError,
    'Cannot use patchSize "3": expected an odd integer from 1 to 63, so that a patch has a centre',
  ],
  [
    { stride: 0 },
    RangeError,
    "Cannot use stride 0: expected an integer from 1 to 1024",
  ],
  [
    { dim: "all" },
    RangeError,
    'Cannot use dim "all": expected an integer from 1 to 16384 or "concat"',
  ],
  [
    { layerDim: 1.5 },
    RangeError,
    "Cannot use layerDim 1.5: expected an integer from 1 to 16384",
  ],
  [
    { layers: ["layer2", "layer2"] },
    RangeError,
    'Cannot use layers ["layer2","layer2"]: expected a list of one or more different names',
  ],
  [
    { layers: "layer2" },
    TypeError,
    'Cannot use layers "layer2": expected a list of one or more different names',
  ],
  [
    { resize: 128 },
    RangeError,
    "Cannot use crop 224: it is larger than resize 128; choose a crop of at most 128, or none",
  ],
  [
    { square: 1 },
    TypeError,
    "Cannot use square 1: expected true or false",
  ],
  [
    { coreset: 0 },
    RangeError,
    "Cannot use coreset.ratio 0: expected a number above 0 and at most 1",
  ],
  [
    { coreset: { ratio: Number.NaN } },
    RangeError,
    "Cannot use coreset.ratio NaN: expected a number above 0 and at most 1",
  ],
  [
    { coreset: { method: "none", ratio: 0.5 } },
    RangeError,
    'Cannot use coreset.ratio 0.5 with coreset.method "none": every patch is kept; choose the ratio 1, or the method "greedy" or "random"',
  ],
  [
    { coreset: { method: "none", maxBank: 5 } },
    RangeError,
    'Cannot use coreset.maxBank 5 with coreset.method "none": every patch is kept; choose the method "greedy" or "random"',
  ],
  [
    { coreset: { projection: { kind: "linear" } } },
    TypeError,
    'Setting "coreset.projection.dim" is missing',
  ],
  [
    { coreset: { projection: { kind: "sparse", eps: 1 } } },
    RangeError,
    "Cannot use coreset.projection.eps 1: expected a number above 0 and below 1",
  ],
  [
    { coreset: { projection: { kind: "pca", dim: 2 } } },
    RangeError,
    'Cannot use coreset.projection.kind "pca": expected one of "linear", "gaussian", "sparse", "none"',
  ],
  [
    { coreset: "greedy" },
    TypeError,
    'Cannot use coreset "greedy": expected an object',
  ],
  [
    { neighbours: 17 },
    RangeError,
    "Cannot use neighbours 17: expected an integer from 1 to 16",
  ],
  [
    { reweight: -1 },
    RangeError,
    "Cannot use reweight -1: expected an integer from 0 to 16",
  ],
  [
    { map: { sigma: Infinity } },
    RangeError,
    "Cannot use map.sigma Infinity: expected a number from 0 to 256",
  ],
  [
    { map: { border: "wrap" } },
    RangeError,
    'Cannot use map.border "wrap": expected one of "symmetric", "reflect"',
  ],
  [
    { seed: 2 ** 32 },
    RangeError,
    "Cannot use seed 4294967296: expected an integer from 0 to 4294967295",
  ],
  [
    { normalise: "auto" },
    RangeError,
    'Cannot use normalise "auto": expected one of "imagenet", "unit", "bytes"',
  ],
  [
    { normalise: { mean: [0, 0, 0], std: [1, 1, 0] } },
    RangeError,
    "Cannot use normalise.std [1,1,0]: expected three numbers other than 0",
  ],
  [
    { normalise: { mean: [0, NaN, 0], std: [1, 1, 1] } },
    RangeError,
    "Cannot use normalise.mean [0,null,0]: expected three numbers",
  ],
  [
    { normalise: { mean: [0, 0], std: [1, 1, 1] } },
    TypeError,
    "Cannot use normalise.mean [0,0]: expected three numbers",
  ],
  [
    { normalise: { mean: [0, 0, 0] } },
    TypeError,
    'Setting "normalise.std" is missing',
  ],
  [
    { threshold: { factor: 0 } },
    RangeError,
    "Cannot use threshold.factor 0: expected a number above 0 and at most 1000000",
  ],
];

for (const [options, type, message] of REFUSED) {
  Deno.test(`resolveSettings() refuses ${JSON.stringify(options)}`, () => {
    const error = assertThrows(
      () => resolveSettings(options as SettingsOptions),
      type,
    );
    assertEquals(error.message, message);
  });
}

Deno.test("bankRows() rounds down, within 1 and maxBank", () => {
  const { coreset } = PRESETS.paper;
  assertEquals(bankRows(coreset, 163_856), 16_385);
  assertEquals(bankRows(coreset, 5), 1);
  assertEquals(bankRows({ ...coreset, maxBank: 100 }, 163_856), 100);
  assertEquals(bankRows({ ...coreset, ratio: 1, maxBank: 100 }, 7), 7);
  assertEquals(bankRows({ ...coreset, method: "none", ratio: 1 }, 70), 70);
});

Deno.test("settingsFromJson() completes settings of an earlier version", () => {
  const settings = resolveSettings({
    threshold: { quantile: 1, factor: 2 },
  });
  const threshold = { quantile: 1, factor: 2 };
  assertEquals(settingsFromJson({ ...settings, threshold }), settings);
});

Deno.test("resolveSettings() has AnomalyDINO's switches in its preset", () => {
  const settings = resolveSettings({ preset: "anomalydino" });
  const { resize, crop, multiple, resample, distance, topShare } = settings;
  assertEquals(
    { resize, crop, multiple, resample, distance, topShare },
    {
      resize: 448,
      crop: null,
      multiple: "patch",
      resample: "bicubic",
      distance: "cosine",
      topShare: 0.01,
    },
  );
  assertEquals(settings.coreset.method, "none");
  assertEquals(settings.reweight, 0);
  assertEquals(settings.augment.rotations, 8);
  assertEquals(settings.foreground.mask, "auto");
  assertEquals(settings.foreground.morphology, "line");
});

Deno.test("resolveSettings() thins out a preset without a coreset when told a share", () => {
  const preset = "anomalydino";
  const { coreset } = resolveSettings({ preset, coreset: 0.1 });
  assertEquals([coreset.method, coreset.ratio], ["greedy", 0.1]);
  const limited = resolveSettings({ preset, coreset: { maxBank: 500 } });
  assertEquals(limited.coreset.method, "greedy");
  assertEquals(bankRows(limited.coreset, 2000), 500);
  const whole = resolveSettings({ preset, coreset: {} });
  assertEquals(whole.coreset.method, "none");
});

for (
  const [options, sentence] of [
    [
      { topShare: 0.01 },
      "Cannot use topShare 0.01 with reweight 9: Eq. 7 weighs the largest patch alone; choose the reweight 0, or no share",
    ],
    [
      { multiple: 14 },
      "Cannot use multiple 14 with crop 224: one of the two decides the input's sides; choose the multiple 1, or no crop",
    ],
    [
      { preset: "dino", crop: 224 },
      "Cannot use multiple patch with crop 224",
    ],
    [
      { augment: { rotations: 0 } },
      "Cannot use augment.rotations 0: expected an integer from 1 to 360",
    ],
    [
      { augment: { brightness: 1 } },
      "Cannot use augment.brightness 1: expected a number from 0 and below 1",
    ],
    [
      { reweight: 0, topShare: 0 },
      "Cannot use topShare 0: expected a number above 0 and at most 1",
    ],
    [
      { foreground: { threshold: -1 } },
      "Cannot use foreground.threshold -1",
    ],
    [
      { tiles: 512, multiple: 14 },
      "Cannot use multiple 14 with tiles: they are cut from the whole image, at the share of its size that tiles.scale says",
    ],
    [
      { tiles: 512, augment: { rotations: 8 } },
      'Cannot use tiles with augment {"rotations":8,"flips":false,"brightness":0}: a fit has either tiles or more views of its images; leave one of the two out',
    ],
    [
      { tiles: 512, augment: { flips: true } },
      "Cannot use tiles with augment",
    ],
    [
      { tiles: 512, augment: { brightness: 0.2 } },
      "Cannot use tiles with augment",
    ],
    [
      { tiles: 512, foreground: { mask: "auto" } },
      'Cannot use tiles with foreground.mask "auto": a tile does not show which patches of the image are of the part; choose the mask "off", or no tiles',
    ],
    [
      { tiles: 512, foreground: { mask: "on" } },
      'Cannot use tiles with foreground.mask "on"',
    ],
    [
      {
        tiles: { side: 512, banks: "position" },
        reweight: 0,
        topShare: 0.01,
      },
      'Cannot use topShare 0.01 with tiles.banks "position": each place is scored on its own; choose banks "shared", or no share',
    ],
    [
      { tiles: { side: 512, overlap: 257 } },
      "Cannot use tiles.overlap 257 with tiles of 512: expected at most half of them, 256",
    ],
  ] as const
) {
  Deno.test(`resolveSettings() refuses ${JSON.stringify(options)}`, () => {
    const error = assertThrows(
      () => resolveSettings(options as SettingsOptions),
      RangeError,
    );
    assertStringIncludes(error.message, sentence);
  });
}

Deno.test("resolveSettings() cuts tiles from the whole image whatever the preset", () => {
  const { multiple, resize, crop } = resolveSettings({
    preset: "dino",
    tiles: 448,
  });
  assertEquals([multiple, resize, crop], [1, 448, null]);
});

Deno.test("settingsFromJson() refuses tiles of sides that are a multiple", () => {
  const settings = { ...resolveSettings({ tiles: 512 }), multiple: 14 };
  const error = assertThrows(() => settingsFromJson(settings), RangeError);
  assertStringIncludes(
    error.message,
    "Cannot use tiles with multiple 14: no edge of an image is cut off",
  );
});

Deno.test("settingsFromJson() completes settings of earlier versions", () => {
  const settings = JSON.parse(JSON.stringify(PRESETS.reference));
  for (
    const key of ["multiple", "resample", "topShare", "foreground", "augment"]
  ) delete settings[key];
  assertEquals(settingsFromJson(settings), PRESETS.reference);
});
