import { KNOWN_WEIGHTS } from "../core/weights.ts";
import { statOrNothing } from "./disk.ts";
import { UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";
import { type PullOptions, pullWeights } from "./pull_weights.ts";
import { backbonePath } from "./weights_cache.ts";

/**
 * Returns the path of the ONNX file that a `--backbone` means: a path, the name
 * of a file in the weights folder, or a published network, which is pulled when
 * it is not there.
 *
 * @throws {UsageError} When it is none of these.
 * @throws {DownloadError} When a published network cannot be had.
 */
export async function backboneFile(
  backbone: string,
  options: PullOptions,
): Promise<string> {
  if (/\.(pth|pt|safetensors)$/i.test(backbone)) {
    throw new UsageError(
      `"${backbone}" holds weights but no network: run "weights convert ${backbone}" and give the ONNX file`,
    );
  }
  if (/[/\\]|\.onnx$/i.test(backbone)) return backbone;
  const kept = backbonePath(options.folder, backbone);
  if ((await statOrNothing(kept))?.isFile) return kept;
  const known = KNOWN_WEIGHTS.get(backbone);
  if (known) return (await pullWeights(known, options)).path;
  const names = [...KNOWN_WEIGHTS.keys()];
  throw new UsageError(
    `Unknown backbone "${backbone}", expected a path to an ONNX file, the name of one in "${options.folder}", or one of ${
      names.join(", ")
    }${didYouMean(backbone, names)}`,
  );
}
