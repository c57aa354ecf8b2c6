import {
  CheckpointError,
  checkpointFormat,
  readStateDict,
  recogniseArchitecture,
  sha256,
  type StateDict,
} from "../core/weights.ts";
import type { Context } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { table } from "./table.ts";
import type { WeightsValues } from "./weights_options.ts";

/** `weights inspect`: what a checkpoint holds. */
export async function inspectFile(
  operands: readonly string[],
  _values: WeightsValues,
  { terminal }: Context,
): Promise<number> {
  const [file] = operands;
  if (file === undefined || operands.length > 1) {
    throw new UsageError("weights inspect needs one FILE");
  }
  if (/\.onnx$/i.test(file)) {
    throw new UsageError(
      `"${file}" is a network, not a checkpoint: use "info ${file}"`,
    );
  }
  const bytes = await readFile(file);
  const format = checkpointFormat(bytes);
  const tensors = readStateDict(bytes);
  const architecture = recognise(tensors);
  let parameters = 0;
  for (const { data } of tensors.values()) parameters += data.length;
  const digest = await sha256(bytes);
  terminal.record({
    file,
    format,
    sha256: digest,
    architecture: architecture ?? null,
    tensors: tensors.size,
    parameters,
  });
  terminal.result(
    `${file}: ${format}, ${tensors.size} tensors, ${parameters} numbers
network: ${architecture ?? "none that is known"}
SHA-256: ${digest}
`,
  );
  const rows = [["tensor", "dtype", "shape"]];
  for (const [name, { dtype, shape }] of tensors) {
    terminal.record({ name, dtype, shape });
    rows.push([name, dtype, `[${shape.join(", ")}]`]);
  }
  terminal.result(table(rows));
  return EXIT.ok;
}

function recognise(tensors: StateDict): string | undefined {
  try {
    return recogniseArchitecture(tensors).name;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
