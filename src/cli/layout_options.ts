import type { FolderNames } from "../core/datasets/dataset.ts";
import { UsageError } from "./exit.ts";
import type { Options, Values } from "./options.ts";

/** Options that say how images are laid out. */
export const LAYOUT_OPTIONS = {
  list: {
    kind: "text",
    value: "FILE.csv",
    help:
      "a table of images instead of folders, with the columns path, split (train, test), label (good, bad or a kind of defect) and mask; only path is needed, paths are relative to the table",
  },
  normalDir: {
    kind: "text",
    value: "NAME",
    help: "folder of the normal images, relative to the dataset's folder",
  },
  abnormalDir: {
    kind: "list",
    value: "NAME,…",
    help:
      "folders of the abnormal images, by default those named bad, NG, defect…",
  },
  maskDir: {
    kind: "text",
    value: "NAME",
    help: "folder of the masks, by default the one named masks or ground_truth",
  },
} as const satisfies Options;

/** The options of {@linkcode LAYOUT_OPTIONS}, as they were read. */
export type LayoutValues = Values<typeof LAYOUT_OPTIONS>;

/**
 * Refuses a command line without images, or with layout options that miss
 * what they refer to.
 *
 * @throws {UsageError} Saying what is missing.
 */
export function checkOperands(
  operands: readonly string[],
  name: string,
  values: LayoutValues,
): void {
  const { list, normalDir, abnormalDir, maskDir } = values;
  if (operands.length === 0 && list === undefined) {
    throw new UsageError(
      `${name} missing: expected files or folders, or --list FILE.csv`,
    );
  }
  const depends = abnormalDir === undefined ? maskDir : abnormalDir;
  if (normalDir === undefined && depends !== undefined) {
    throw new UsageError(
      `Cannot use --${
        abnormalDir === undefined ? "mask-dir" : "abnormal-dir"
      } without --normal-dir NAME`,
    );
  }
}

/** The folders that options name. */
export function folderNames(
  { normalDir, abnormalDir, maskDir }: Partial<LayoutValues>,
): FolderNames | undefined {
  return normalDir === undefined ? undefined : {
    normal: normalDir,
    ...abnormalDir && { abnormal: abnormalDir },
    ...maskDir && { masks: maskDir },
  };
}
