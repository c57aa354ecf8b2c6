/**
 * Writes a part as an earlier version of the program did, which carried no sample
 * and no checksum: `older_part.ts PART RESULT`.
 *
 * @module
 */
import { readModelFile } from "../src/core/mod.ts";
import { modelTensors } from "../src/core/model/model_file.ts";
import { modelMetadata } from "../src/core/model/model_metadata.ts";
import { writeSafetensors } from "../src/nn/safetensors.ts";

const [part, result] = Deno.args as [string, string];
const { sample: _, ...model } = readModelFile(await Deno.readFile(part));
const bytes = writeSafetensors(modelTensors(model), modelMetadata(model));
await Deno.writeFile(result, bytes);
