import { PatchCore } from "../core/mod.ts";
import { readModelFile } from "../core/bank/model_file.ts";
import type { Context } from "./command.ts";
import { readFile } from "./disk.ts";
import type { Option } from "./options.ts";
import { loadBackbone } from "./load_backbone.ts";

/** How the backbone's weights are stored on the GPU. */
export const PRECISION_OPTION = {
  kind: "choice",
  choices: ["f32", "f16"],
  default: "f32",
  help: "how the backbone's weights are stored on the GPU",
} as const satisfies Option;

/** Options of commands that use a model. */
export const MODEL_OPTIONS = {
  backbone: {
    kind: "text",
    value: "NAME|FILE.onnx",
    help:
      "the model's backbone, when it is neither bundled nor where fit found it",
  },
  batch: {
    kind: "integer",
    min: 1,
    unit: "images",
    default: 1,
    help: "how many images the GPU works on at once",
  },
  precision: PRECISION_OPTION,
  profile: { kind: "flag", help: "print the GPU time of every kernel" },
} as const satisfies Readonly<Record<string, Option>>;

/** Loads a fitted detector; the backbone comes from the bundle or by its name. */
export async function loadDetector(
  path: string,
  values: {
    readonly backbone: string | undefined;
    readonly batch: number;
    readonly profile: boolean;
    readonly precision?: "f32" | "f16";
  },
  context: Context,
): Promise<PatchCore> {
  const bytes = await readFile(path);
  const { backbone: stored, threshold, mapThreshold } = readModelFile(bytes);
  if (threshold !== undefined && mapThreshold === undefined) {
    context.terminal.message(
      `Model "${path}" has no threshold of its own for anomaly maps, as it was made by an earlier version: contours and masks use that of image scores, which maps seldom reach; fit again to have one`,
    );
  }
  const name = values.backbone ??
    (stored.onnx === undefined ? stored.source ?? stored.name : undefined);
  return await PatchCore.load(bytes, {
    ...(name !== undefined && { backbone: await loadBackbone(name, context) }),
    batch: values.batch,
    profile: values.profile,
    ...(values.precision && { precision: values.precision }),
  });
}
