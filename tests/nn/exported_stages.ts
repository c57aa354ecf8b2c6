/** Networks that tests/oracles/exports.py has exported, beside what their modules yield. */
import type { Gpu } from "../../src/gpu/mod.ts";
import { findTaps, Network, toNhwc } from "../../src/nn/mod.ts";
import { relativeError } from "../testing.ts";
import { readActivations, readModelFile } from "./model_files.ts";

/** One level of a network against the module of the exported program. */
export interface StageError {
  /** The level, e.g. `layer2`. */
  readonly level: string;
  /** The module of the PyTorch program. */
  readonly module: string;
  /** Largest difference, relative to the module's values. */
  readonly error: number;
}

/**
 * Runs `NAME.onnx` of a folder on the GPU and compares every level.
 *
 * @throws {Error} If levels and modules differ in number or shape.
 */
export async function compareStages(
  gpu: Gpu,
  folder: string,
  name: string,
): Promise<StageError[]> {
  const graph = await readModelFile(`${folder}/${name}.onnx`);
  const { tensors, metadata } = await readActivations(
    `${folder}/${name}.safetensors`,
  );
  const modules = metadata["stages"]!.split(",");
  const levels = findTaps(graph).map((tap) => tap.name);
  if (levels.length !== modules.length) {
    throw new Error(`${name} has ${levels}, expected one a module: ${modules}`);
  }
  using network = new Network(gpu, graph, { taps: levels });
  const image = tensors.get("image")!;
  using session = await network.session(image.shape);
  gpu.write(session.input, toNhwc(image.data, image.shape));
  session.program.run();
  const errors: StageError[] = [];
  for (const [i, module] of modules.entries()) {
    const { name: level, tensor } = network.taps[i]!;
    const expected = tensors.get(module)!;
    const shape = session.shape(tensor);
    if (`${shape}` !== `${expected.shape}`) {
      throw new Error(`${level} is [${shape}], ${module} [${expected.shape}]`);
    }
    const error = relativeError(await session.read(tensor), expected.data);
    errors.push({ level, module, error });
  }
  return errors;
}
