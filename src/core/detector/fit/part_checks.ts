import type { Settings } from "../../settings/settings.ts";

/**
 * Checks that a part of a fit can be made with settings. What a merge needs for
 * the threshold, parts carry along as patches of whole images.
 *
 * @param shard Which part of how many.
 * @throws {RangeError} If it cannot.
 */
export function checkPart(
  shard: readonly [number, number],
  { foreground, region, tiles }: Settings,
): void {
  const problem = foreground.mask === "auto"
    ? 'with a foreground mask of "auto": every part would decide on its own images; give "on" or "off"'
    : region !== undefined
    ? "to a region: parts carry patches of whole images along for the threshold; fit all images at once, or without a region"
    : tiles !== undefined
    ? "in tiles: parts carry patches of whole images along for the threshold; fit all images at once, or without tiles"
    : undefined;
  if (problem === undefined) return;
  throw new RangeError(`Cannot fit part ${shard.join("/")} ${problem}`);
}
