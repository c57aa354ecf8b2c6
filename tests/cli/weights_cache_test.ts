import { assertEquals, assertThrows } from "@std/assert";
import {
  backbonePath,
  weightsFolder,
  type WeightsPlace,
} from "../../src/cli/weights_cache.ts";

function place(
  env: Record<string, string>,
  changes: Partial<WeightsPlace> = {},
): WeightsPlace {
  return {
    env: (name) => env[name],
    os: "linux",
    program: "https://jsr.io/@patchcore/webgpu/0.1.0/src/cli/weights_cache.ts",
    exists: () => false,
    ...changes,
  };
}

const checkout: Partial<WeightsPlace> = {
  program: "file:///home/me/patch%20core/src/cli/weights_cache.ts",
  exists: () => true,
};

for (
  const [what, given, expected] of [
    [
      "PATCHCORE_WEIGHTS",
      place({ PATCHCORE_WEIGHTS: "/data/w", HOME: "/home/me" }, checkout),
      "/data/w",
    ],
    [
      "weights in a checkout",
      place({ HOME: "/home/me" }, checkout),
      "/home/me/patch core/weights",
    ],
    [
      "weights in a checkout on Windows",
      place({}, {
        ...checkout,
        os: "windows",
        program: "file:///C:/code/src/cli/weights_cache.ts",
      }),
      "C:\\code\\weights",
    ],
    [
      "the cache folder beside other code",
      place({ HOME: "/home/me" }, { ...checkout, exists: () => false }),
      "/home/me/.cache/patchcore/weights",
    ],
    [
      "XDG_CACHE_HOME",
      place({ XDG_CACHE_HOME: "/cache", HOME: "/home/me" }),
      "/cache/patchcore/weights",
    ],
    [
      "Library/Caches on macOS",
      place({ HOME: "/Users/me", XDG_CACHE_HOME: "/cache" }, { os: "darwin" }),
      "/Users/me/Library/Caches/patchcore/weights",
    ],
    [
      "LOCALAPPDATA on Windows",
      place({ LOCALAPPDATA: "C:\\Users\\me\\AppData\\Local" }, {
        os: "windows",
      }),
      "C:\\Users\\me\\AppData\\Local\\patchcore\\weights",
    ],
  ] as const
) {
  Deno.test(`weightsFolder() returns ${what}`, () => {
    assertEquals(weightsFolder(given), expected);
  });
}

Deno.test("weightsFolder() throws when the environment names no home", () => {
  assertThrows(
    () => weightsFolder(place({})),
    Error,
    "the environment has no HOME, or may not be read; set PATCHCORE_WEIGHTS",
  );
});

Deno.test("backbonePath() returns the ONNX file of a name", () => {
  assertEquals(backbonePath("/w", "resnet18"), "/w/resnet18.onnx");
});
