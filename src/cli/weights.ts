import { type Command, type Context, defineCommand } from "./command.ts";
import { convertFile } from "./convert_weights.ts";
import { UsageError } from "./exit.ts";
import { inspectFile } from "./inspect_weights.ts";
import { didYouMean } from "./nearest.ts";
import { listWeights, pullNames } from "./published_weights.ts";
import { WEIGHTS_OPTIONS, type WeightsValues } from "./weights_options.ts";

type Action = (
  operands: readonly string[],
  values: WeightsValues,
  context: Context,
) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: listWeights,
  pull: pullNames,
  convert: convertFile,
  inspect: inspectFile,
};

/** `weights`: backbones from published or own checkpoints. */
export const weights: Command = defineCommand({
  name: "weights",
  summary: "Fetch, convert and look at the weights of backbones",
  operands: {
    name: "ACTION",
    help:
      "list; pull NAME…; convert FILE; inspect FILE. Backbones are kept in the folder that PATCHCORE_WEIGHTS names, or in weights/ of a checkout, or in the cache folder of the platform",
    min: 1,
    words: Object.keys(ACTIONS),
  },
  options: WEIGHTS_OPTIONS,
  examples: [
    ["list", "What can be pulled, and what is here"],
    ["pull wide_resnet50_2", "Get the network of the paper"],
    ["convert mine.pth --until layer4", "Make mine.onnx of a checkpoint"],
  ],
  run([name = "", ...operands], values, context): Promise<number> {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action) return action(operands, values, context);
    const names = Object.keys(ACTIONS);
    throw new UsageError(
      `Unknown action "${name}", expected one of ${names.join(", ")}${
        didYouMean(name, names)
      }`,
    );
  },
});
