import { assertThrows } from "@std/assert";
import { checkPart } from "../../../../src/core/detector/fit/part_checks.ts";
import { resolveSettings } from "../../../../src/core/settings/resolve_settings.ts";
import type { SettingsOptions } from "../../../../src/core/settings/settings.ts";

const REFUSED: Readonly<Record<string, SettingsOptions>> = {
  'with a foreground mask of "auto"': { foreground: { mask: "auto" } },
  "to a region": {
    region: { width: 4, height: 4, runs: [4, 12], roi: [], ignore: [] },
  },
  "in tiles": { tiles: { side: 128 } },
};

for (const [why, options] of Object.entries(REFUSED)) {
  Deno.test(`checkPart() refuses a part ${why}`, () => {
    const settings = resolveSettings(options);
    assertThrows(
      () => checkPart([2, 3], settings),
      RangeError,
      `Cannot fit part 2/3 ${why}`,
    );
  });
}

Deno.test("checkPart() takes settings of whole images", () => {
  checkPart([1, 2], resolveSettings({ foreground: { mask: "on" } }));
});
