import { assertThrows } from "@std/assert";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import type { SettingsOptions } from "../../../src/core/settings/settings.ts";

const region = { width: 4, height: 4, runs: [4, 12], roi: [], ignore: [] };

Deno.test.each<[string, SettingsOptions]>([
  ["tiles of 512: a region is one of whole images", { tiles: 512 }],
  [
    'augment {"rotations":8,"flips":false,"brightness":0}: it lies elsewhere',
    { augment: { rotations: 8 } },
  ],
  [
    'foreground.mask "on": the region says what is of the part',
    { foreground: { mask: "on" } },
  ],
])("resolveSettings() refuses a region with %s", (why, options) => {
  assertThrows(
    () => resolveSettings({ ...options, region }),
    RangeError,
    `Cannot use a region with ${why}`,
  );
});

Deno.test("resolveSettings() takes a region of images that are lit differently", () => {
  resolveSettings({ region, augment: { brightness: 0.2 } });
});
