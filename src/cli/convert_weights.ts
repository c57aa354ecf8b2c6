import {
  type Architecture,
  architecture,
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
import { didYouMean } from "./nearest.ts";
import { refuseExisting } from "./output.ts";
import type { WeightsValues } from "./weights_options.ts";

interface Source {
  readonly network: Architecture;
  readonly tensors: StateDict;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** `weights convert`: makes an ONNX file of a checkpoint. */
export async function convertFile(
  operands: readonly string[],
  values: WeightsValues,
  { terminal }: Context,
): Promise<number> {
  const { random, until, precision, overwrite } = values;
  const [file] = operands;
  if (operands.length !== (random === undefined ? 1 : 0)) {
    throw new UsageError(
      random === undefined
        ? "weights convert needs one FILE: a .pth, .pt or .safetensors"
        : "weights convert --random takes no FILE",
    );
  }
  const named = values.arch === undefined ? undefined : network(values.arch);
  const out = values.out ?? outputPath(file);
  await refuseExisting(out, overwrite);
  const source = file === undefined
    ? randomSource(named, random)
    : await fileSource(file, named);
  const { bytes, parameters } = convertWeights(
    source.tensors,
    source.network,
    { until, precision, ...(source.metadata && { metadata: source.metadata }) },
  );
  await writeAtomically(out, bytes);
  const { name } = source.network;
  terminal.message(
    `Converted ${
      (parameters / 1e6).toFixed(1)
    } M weights of ${name} up to ${until}`,
  );
  terminal.result(out);
  terminal.record({
    path: out,
    sha256: await sha256(bytes),
    architecture: name,
    until,
    precision,
    parameters,
  });
  return EXIT.ok;
}

function network(name: string): Architecture {
  if (ARCHITECTURES.includes(name)) return architecture(name);
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
  named: Architecture | undefined,
  seed: number | undefined,
): Source {
  if (!named || seed === undefined) {
    throw new UsageError("weights convert --random needs --arch NAME");
  }
  const { weights, metadata } = randomWeights(named, seed);
  const tensors: StateDict = new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32", shape, data },
    ]),
  );
  return { network: named, tensors, metadata };
}

async function fileSource(
  file: string,
  named: Architecture | undefined,
): Promise<Source> {
  const bytes = await readFile(file);
  const digest = await sha256(bytes);
  checkDigits(file, digest);
  const tensors = readStateDict(bytes);
  const known = knownByDigest(digest);
  return {
    network: named ?? recogniseArchitecture(tensors),
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
