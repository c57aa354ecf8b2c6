import {
  CheckpointError,
  checkpointFormat,
  checkpointGraph,
  knownByDigest,
  readOnnx,
  readStateDict,
  recogniseArchitecture,
  sha256,
  type StateDict,
  weightsTitle,
} from "../core/weights.ts";
import type { Context } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { readBackbone } from "./load_backbone.ts";
import { factLines, type Facts, networkFacts } from "./network_facts.ts";
import { table } from "./table.ts";
import type { WeightsValues } from "./weights_options.ts";

/** `weights inspect`: what a network's file or a checkpoint holds. */
export async function inspectFile(
  operands: readonly string[],
  { size }: WeightsValues,
  { terminal }: Context,
): Promise<number> {
  const [file] = operands;
  if (file === undefined || operands.length > 1) {
    throw new UsageError("weights inspect needs one FILE");
  }
  const image = [1, 3, size, size];
  const { facts, tensors } = await isCheckpoint(file)
    ? await inspectCheckpoint(file, image)
    : await inspectNetwork(file, image);
  terminal.record(facts);
  terminal.result(
    factLines(facts),
  );
  if (tensors === undefined) return EXIT.ok;
  const rows = [["tensor", "dtype", "shape"]];
  for (const [name, { dtype, shape }] of tensors) {
    terminal.record({ name, dtype, shape });
    rows.push([name, dtype, `[${shape.join(", ")}]`]);
  }
  terminal.result(`\n${table(rows)}`);
  return EXIT.ok;
}

interface Inspected {
  readonly facts: Facts;
  /** A checkpoint's tensors. */
  readonly tensors?: StateDict;
}

/** A name says what a file is meant to be; where it does not, the content does. */
async function isCheckpoint(file: string): Promise<boolean> {
  if (/\.(pth|pt|safetensors)$/i.test(file)) return true;
  if (/\.onnx$/i.test(file)) return false;
  try {
    checkpointFormat(await readFile(file));
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

async function inspectNetwork(
  file: string,
  image: readonly number[],
): Promise<Inspected> {
  const { bytes, readExternal } = await readBackbone(file);
  const graph = await readOnnx(bytes, readExternal ? { readExternal } : {});
  return {
    facts: {
      file,
      format: "ONNX",
      sha256: await sha256(bytes),
      architecture: graph.metadata.get("architecture") ?? null,
      ...networkFacts(graph, image),
    },
  };
}

async function inspectCheckpoint(
  file: string,
  image: readonly number[],
): Promise<Inspected> {
  const bytes = await readFile(file);
  const format = checkpointFormat(bytes);
  const tensors = readStateDict(bytes);
  const architecture = recognise(tensors);
  const digest = await sha256(bytes);
  const known = knownByDigest(digest);
  let parameters = 0;
  for (const { data } of tensors.values()) parameters += data.length;
  const network = architecture &&
    checkpointGraph(tensors, architecture, { until: "layer4" });
  return {
    facts: {
      file,
      format,
      sha256: digest,
      architecture: architecture?.name ?? null,
      tensors: tensors.size,
      ...(network && networkFacts(network.graph, image)),
      parameters,
      known_weights: known ? weightsTitle(known) : null,
    },
    tensors,
  };
}

function recognise(
  tensors: StateDict,
): ReturnType<typeof recogniseArchitecture> | undefined {
  try {
    return recogniseArchitecture(tensors);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
