import {
  ARCHITECTURES,
  convertWeights,
  knownByDigest,
  randomWeights,
  readStateDict,
  recogniseArchitecture,
  sha256,
  type StateDict,
  WEIGHTS_KEY,
  weightsTitle,
} from "../core/weights.ts";
import type { Context } from "./command.ts";
import { readFile, writeAtomically } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { keptNetwork } from "./kept_network.ts";
import { didYouMean } from "./nearest.ts";
import { refuseExisting } from "./output.ts";
import { licenceMetadata } from "./weights_licence.ts";
import type { WeightsValues } from "./weights_options.ts";

interface Source {
  /** Name of the network. */
  readonly name: string;
  readonly tensors: StateDict;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** `weights convert`: makes an ONNX file of a checkpoint. */
export async function convertFile(
  operands: readonly string[],
  values: WeightsValues,
  { terminal }: Context,
): Promise<number> {
  const { random, precision, overwrite } = values;
  const [file] = operands;
  if (operands.length !== (random === undefined ? 1 : 0)) {
    throw new UsageError(
      random === undefined
        ? "weights convert needs one FILE: a .pth, .pt or .safetensors"
        : "weights convert --random takes no FILE",
    );
  }
  const named = values.arch === undefined ? undefined : known(values.arch);
  const out = values.out ?? outputPath(file);
  await refuseExisting(out, overwrite);
  const source = file === undefined
    ? randomSource(named, random, values)
    : await fileSource(file, named);
  const { name } = source;
  const { network, until, end } = keptNetwork(name, values);
  const licence = random === undefined
    ? await licenceMetadata(name, values)
    : [];
  const { bytes, parameters } = convertWeights(source.tensors, network, {
    ...{ until, precision },
    metadata: new Map([...source.metadata ?? [], ...licence]),
  });
  await writeAtomically(out, bytes);
  terminal.message(
    `Converted ${
      (parameters / 1e6).toFixed(1)
    } M weights of ${name} up to ${end}`,
  );
  terminal.result(out);
  terminal.record({
    path: out,
    sha256: await sha256(bytes),
    architecture: name,
    until: end,
    precision,
    ...(network.transformer && { positions: network.transformer.positions }),
    parameters,
  });
  return EXIT.ok;
}

function known(name: string): string {
  if (ARCHITECTURES.includes(name)) return name;
  throw new UsageError(
    `Unknown network "${name}", expected one of ${ARCHITECTURES.join(", ")}${
      didYouMean(name, ARCHITECTURES)
    }`,
  );
}

function outputPath(file: string | undefined): string {
  if (file === undefined) {
    throw new UsageError("weights convert --random needs --out FILE.onnx");
  }
  return `${file.replace(/\.(pth|pt|safetensors)$/i, "")}.onnx`;
}

function randomSource(
  name: string | undefined,
  seed: number | undefined,
  values: WeightsValues,
): Source {
  if (name === undefined || seed === undefined) {
    throw new UsageError("weights convert --random needs --arch NAME");
  }
  const { network } = keptNetwork(name, values);
  const { weights, metadata } = randomWeights(network, seed);
  const tensors: StateDict = new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32", shape, data },
    ]),
  );
  return { name, tensors, metadata };
}

async function fileSource(
  file: string,
  named: string | undefined,
): Promise<Source> {
  const bytes = await readFile(file);
  const digest = await sha256(bytes);
  checkDigits(file, digest);
  const tensors = readStateDict(bytes);
  const known = knownByDigest(digest);
  return {
    name: named ?? recogniseArchitecture(tensors).name,
    tensors,
    ...(known && { metadata: new Map([[WEIGHTS_KEY, weightsTitle(known)]]) }),
  };
}

/** torchvision ends the names of its files with digits of their SHA-256. */
function checkDigits(file: string, digest: string): void {
  const [, digits] = /-([0-9a-f]{8})\.pth$/.exec(file) ?? [];
  if (digits === undefined || digest.startsWith(digits)) return;
  throw new Error(
    `Refused "${file}": its SHA-256 is ${digest}, its name says ${digits}…; ` +
      `download it again, or rename it if you made it yourself`,
  );
}
