import {
  isEnsembleFile,
  readEnsembleFile,
} from "../core/model/ensemble_file.ts";
import { readModelFile } from "../core/model/model_file.ts";
import type { StoredModel } from "../core/model/stored_model.ts";
import { Gpu, readOnnx, sha256 } from "../core/weights.ts";
import { type Command, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT } from "./exit.ts";
import { localBackbone, storedBackbone } from "./load_backbone.ts";
import {
  factLines,
  type Facts,
  networkFacts,
  SIZE_OPTION,
} from "./network_facts.ts";
import { namingModel } from "./model_loading.ts";
import { fitFacts, refitFacts } from "./planned_facts.ts";
import type { Context } from "./command.ts";

/** `info`: the adapter, a model or a network. */
export const info: Command = defineCommand({
  name: "info",
  summary: "Describe the adapter, a model or a network",
  operands: {
    name: "FILE",
    help: "a model (.safetensors) or a network (.onnx); none: the adapter",
    min: 0,
    max: 1,
  },
  options: {
    size: SIZE_OPTION,
    images: {
      kind: "integer",
      min: 1,
      default: 200,
      help: "training images that a network's memory is planned for",
    },
    imageSize: {
      kind: "integer",
      min: 1,
      unit: "pixels",
      default: 1024,
      help: "their sides, before they are resized",
    },
  },
  examples: [
    ["", "The adapter, its limits and features"],
    ["part.safetensors", "Settings, bank, threshold and backbone of a model"],
    ["resnet18.onnx", "Operators, taps and cost of a network"],
  ],
  async run([file], values, context): Promise<number> {
    const facts = file === undefined
      ? await adapterFacts()
      : /\.onnx$/i.test(file)
      ? await fileFacts(file, values, context)
      : await modelFacts(file, context);
    context.terminal.record(facts);
    context.terminal.result(
      factLines(facts),
    );
    return EXIT.ok;
  },
});

async function adapterFacts(): Promise<Facts> {
  using gpu = await Gpu.create();
  const { limits, features } = gpu.device;
  return {
    adapter: gpu.adapterName,
    max_tensor_bytes: gpu.maxTensorBytes,
    max_buffer_bytes: limits.maxBufferSize,
    max_binding_bytes: limits.maxStorageBufferBindingSize,
    max_workgroup_invocations: limits.maxComputeInvocationsPerWorkgroup,
    max_workgroup_bytes: limits.maxComputeWorkgroupStorageSize,
    subgroup_size: gpu.subgroupSize,
    features: [...features].sort(),
  };
}

async function modelFacts(file: string, context: Context): Promise<Facts> {
  const bytes = await readFile(file);
  return await namingModel(file, () => factsOfFile(file, bytes, context));
}

async function factsOfFile(
  file: string,
  bytes: Uint8Array,
  context: Context,
): Promise<Facts> {
  if (isEnsembleFile(bytes)) return ensembleFacts(file, bytes);
  const model = readModelFile(bytes);
  const { backbone } = model;
  const openBackbone = async () => {
    const { name, onnx } = backbone;
    return onnx === undefined
      ? await storedBackbone(backbone, file)
      : { name, bytes: onnx as Uint8Array<ArrayBuffer> };
  };
  return {
    model: file,
    ...factsOfModel(model),
    ...await refitFacts(bytes, openBackbone, context.terminal),
  };
}

function ensembleFacts(file: string, bytes: Uint8Array): Facts {
  const { members, threshold, softwareVersion } = readEnsembleFile(bytes);
  return {
    model: file,
    threshold: threshold?.value ?? null,
    threshold_rule: threshold?.rule ?? null,
    images: members[0]!.imageNames.length,
    members: members.map(factsOfModel),
    software_version: softwareVersion,
  };
}

function factsOfModel(model: StoredModel): Facts {
  const { backbone, threshold, mapThreshold } = model;
  return {
    bank_rows: model.rows,
    dim: model.dim,
    bank_precision: model.bankPrecision,
    images: model.imageNames.length,
    patches: model.coverage?.patches ?? null,
    coreset_radius_bound: model.coverage?.radius ?? null,
    ...(model.coverage?.shard && { shard: model.coverage.shard }),
    threshold: threshold?.value ?? null,
    threshold_rule: threshold?.rule ?? null,
    map_threshold: mapThreshold?.value ?? null,
    backbone: backbone.name,
    backbone_sha256: backbone.sha256,
    bundled: backbone.onnx !== undefined,
    settings: model.settings,
    seed: model.seed,
    software_version: model.softwareVersion,
  };
}

async function fileFacts(
  file: string,
  { size, images: count, imageSize }: {
    readonly size: number;
    readonly images: number;
    readonly imageSize: number;
  },
  context: Context,
): Promise<Facts> {
  const backbone = await localBackbone(file);
  const { bytes, readExternal } = backbone;
  const graph = await readOnnx(bytes, readExternal ? { readExternal } : {});
  return {
    network: file,
    sha256: await sha256(bytes),
    ...networkFacts(graph, [1, 3, size, size]),
    ...await fitFacts({
      backbone,
      settings: { resize: Math.ceil(size * 8 / 7), crop: size },
      images: { count, width: imageSize, height: imageSize },
    }, context.terminal),
  };
}
