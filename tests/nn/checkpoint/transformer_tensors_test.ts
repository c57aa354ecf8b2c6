import { assert, assertEquals, assertThrows } from "@std/assert";
import type {
  Architecture,
  Positions,
} from "../../../src/nn/architectures/architecture.ts";
import {
  architecture,
  ARCHITECTURES,
} from "../../../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../../../src/nn/architectures/random_weights.ts";
import { CheckpointError } from "../../../src/nn/checkpoint/checkpoint_error.ts";
import {
  convertWeights,
  recogniseArchitecture,
} from "../../../src/nn/checkpoint/convert.ts";
import {
  readStateDict,
  type StateDict,
} from "../../../src/nn/checkpoint/state_dict.ts";
import { transformerTensors } from "../../../src/nn/checkpoint/transformer_tensors.ts";
import type { FloatTensor } from "../../../src/nn/graph.ts";
import { decodeModel } from "../../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import { floatData, type StoredTensor } from "../../../src/nn/stored_tensor.ts";
import { interpretTransformer } from "../../reference/transformers.ts";
import { relativeError, sharedTest } from "../../testing.ts";
import {
  TINY,
  TINY_TRANSFORMERS as NETS,
} from "../architectures/tiny_transformers.ts";
import { readActivations } from "../model_files.ts";

/** Runs converted weights on an image of the goldens. */
async function run(
  tensors: StateDict,
  network: Architecture,
  image: FloatTensor,
): Promise<Map<string, FloatTensor>> {
  const graph = await readOnnx(convertWeights(tensors, network).bytes);
  return interpretTransformer(graph, image) as Map<string, FloatTensor>;
}

function near(
  actual: FloatTensor | undefined,
  expected: FloatTensor | undefined,
  tolerance = 1e-5,
): void {
  assertEquals(actual!.shape, expected!.shape);
  const error = relativeError(actual!.data, expected!.data);
  assert(error < tolerance, `relative error ${error}`);
}

/** Network, its weights, positions, and the recorded tensors that go with them. */
const RECORDED: readonly (readonly [
  net: string,
  file: string,
  positions: Positions,
  prefix: string,
  input?: string,
])[] = [
  ["dinov2", "dinov2.pth", "hub", ""],
  ["dinov2", "dinov2.pth", "transformers", "hf."],
  ["dinov2", "dinov2.pth", "timm", "timm."],
  ["dinov2_hf", "dinov2_hf.safetensors", "transformers", "LAST"],
  ["dinov2_hf", "dinov2_hf.safetensors", "transformers", "BATCH"],
  ["dinov2_reg", "dinov2_reg.safetensors", "hub", ""],
  ["dinov2_reg", "dinov2_reg.safetensors", "timm", "small.", "small.input"],
  ["dinov2_swiglu", "dinov2_swiglu.safetensors", "hub", ""],
  ["dinov3", "dinov3.pth", "hub", ""],
  ["dinov3", "dinov3.pth", "timm", "exact_periods."],
  ["dinov3_plus", "dinov3_plus.hf.safetensors", "hub", ""],
  [
    "dinov3_plus",
    "dinov3_plus.hf.safetensors",
    "transformers",
    "exact_periods.",
  ],
  ["torchvision", "torchvision.pth", "hub", ""],
  ["deit_distilled", "deit_distilled.safetensors", "hub", ""],
];

for (const [net, file, positions, prefix, input = "input"] of RECORDED) {
  sharedTest(
    `convertWeights() of ${file} with ${positions} positions computes what was recorded as "${prefix}"`,
    async (_, shared) => {
      const folder = shared("golden", "vit");
      const bytes = await Deno.readFile(`${folder}/${file}`);
      const { tensors: recorded } = await readActivations(
        `${folder}/${net}.activations.safetensors`,
      );
      const network = NETS[net]!(positions);
      const image = prefix === "BATCH" ? "batch.input" : input;
      const results = await run(
        readStateDict(bytes),
        network,
        recorded.get(image)!,
      );
      const last = `block${network.transformer!.depth - 1}`;
      const expected = prefix === "LAST"
        ? "last_hidden_state"
        : prefix === "BATCH"
        ? "batch.last_hidden_state"
        : `${prefix}${last}.normed`;
      near(results.get("tokens"), recorded.get(expected));
      if (prefix !== "") return;
      near(results.get("/tokens/Concat.out"), recorded.get("embedded"));
      near(results.get("blocks.0"), recorded.get("block0"));
    },
  );
}

/** The tensors of a network as each program names them. */
function namings(tensors: StateDict): Readonly<Record<string, StateDict>> {
  return {
    transformers: renamed(tensors, true),
    timm: renamed(tensors, false),
  };
}

function renamed(hub: StateDict, toTransformers: boolean): StateDict {
  const out = new Map<string, StoredTensor>();
  for (const [name, tensor] of hub) {
    const packed = /^(blocks\.\d+\.attn)\.qkv\.(weight|bias)$/.exec(name);
    if (toTransformers && packed) {
      const data = floatData(tensor);
      const rows = tensor.shape[0]! / 3;
      ["query", "key", "value"].forEach((part, i) => {
        const size = data.length / 3;
        out.set(
          `${
            packed[1]!.replace("blocks", "encoder.layer").replace(
              "attn",
              "attention.attention",
            )
          }.${part}.${packed[2]}`,
          {
            dtype: "F32",
            shape: [rows, ...tensor.shape.slice(1)],
            data: data.slice(i * size, (i + 1) * size),
          },
        );
      });
      continue;
    }
    const other = toTransformers
      ? name.replace(/^(cls_token|mask_token)$/, "embeddings.$1")
        .replace("register_tokens", "embeddings.register_tokens")
        .replace("pos_embed", "embeddings.position_embeddings")
        .replace("patch_embed.proj", "embeddings.patch_embeddings.projection")
        .replace(/^blocks/, "encoder.layer")
        .replace("attn.proj", "attention.output.dense")
        .replace(/ls([12])\.gamma/, "layer_scale$1.lambda1")
        .replace(/^norm\./, "layernorm.")
      : name.replace("register_tokens", "reg_token");
    if (!toTransformers && name === "mask_token") continue;
    out.set(other, tensor);
  }
  const positions = out.get("pos_embed");
  if (!toTransformers && out.has("reg_token") && positions) {
    const values = floatData(positions);
    const dim = positions.shape[2]!;
    const token = floatData(out.get("cls_token")!);
    out.set("cls_token", {
      ...out.get("cls_token")!,
      data: token.map((x, i) => Math.fround(x + values[i]!)),
    });
    out.set("pos_embed", {
      ...positions,
      shape: [1, positions.shape[1]! - 1, dim],
      data: values.slice(dim),
    });
  }
  return out;
}

for (const net of ["dinov2", "dinov2_reg"] as const) {
  sharedTest(
    `convertWeights() makes the same bytes of ${net} as hub, transformers and timm name it`,
    async (_, shared) => {
      const extension = net === "dinov2" ? "pth" : "safetensors";
      const hub = readStateDict(
        await Deno.readFile(shared("golden", "vit", `${net}.${extension}`)),
      );
      const network = NETS[net]!("hub");
      const expected = convertWeights(hub, network);
      for (const [program, tensors] of Object.entries(namings(hub))) {
        const actual = convertWeights(tensors, network);
        assertEquals(actual.bytes, expected.bytes, program);
      }
    },
  );
}

sharedTest(
  "transformerTensors() takes DINOv3's masked, split and absent biases for the same",
  async (_, shared) => {
    const hub = readStateDict(
      await Deno.readFile(shared("golden", "vit", "dinov3.pth")),
    );
    const network = NETS["dinov3"]!("hub");
    const expected = convertWeights(hub, network).bytes;
    const dim = TINY.dim;
    const split = new Map<string, StoredTensor>();
    for (const [name, tensor] of hub) {
      const [, block, kind] = /^blocks\.(\d+)\.attn\.qkv\.(\w+)$/.exec(name) ??
        [];
      if (kind === "bias_mask" || name.startsWith("rope_embed")) continue;
      if (block === undefined) {
        split.set(
          name.replace("storage_tokens", "embeddings.register_tokens")
            .replace("cls_token", "embeddings.cls_token")
            .replace("mask_token", "embeddings.mask_token")
            .replace("patch_embed.proj", "embeddings.patch_embeddings")
            .replace(/^blocks/, "layer")
            .replace("attn.proj", "attention.o_proj")
            .replace(/ls([12])\.gamma/, "layer_scale$1.lambda1")
            .replace("mlp.fc1", "mlp.up_proj")
            .replace("mlp.fc2", "mlp.down_proj"),
          tensor,
        );
        continue;
      }
      const size = tensor.data.length / 3;
      "qkv".split("").forEach((part, i) => {
        if (kind === "bias" && part === "k") return;
        split.set(`layer.${block}.attention.${part}_proj.${kind}`, {
          dtype: "F32",
          shape: kind === "bias" ? [dim] : [dim, dim],
          data: floatData(tensor).slice(i * size, (i + 1) * size),
        });
      });
    }
    assertEquals(convertWeights(split, network).bytes, expected);
  },
);

Deno.test("convertWeights() names a transformer's tensor that is missing or unknown", () => {
  const network = NETS["deit_distilled"]!();
  const tensors = random(network);
  const without = new Map(tensors);
  without.delete("blocks.1.mlp.fc2.bias");
  assertThrows(
    () => convertWeights(without, network),
    CheckpointError,
    'tensor "blocks.1.mlp.fc2.bias" is missing',
  );
  const more = new Map(tensors).set("blocks.2.norm1.weight", {
    dtype: "F32",
    shape: [24],
    data: new Float32Array(24),
  });
  assertThrows(
    () => convertWeights(more, network),
    CheckpointError,
    'tensor "blocks.2.norm1.weight" does not belong to it',
  );
});

function random(network: Architecture): StateDict {
  const { weights } = randomWeights(network, 7);
  return new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32", shape, data: data as Float32Array },
    ]),
  );
}

Deno.test("recogniseArchitecture() tells every transformer by shapes alone", () => {
  const told = ARCHITECTURES.map((name) => architecture(name))
    .filter(({ transformer }) => transformer !== undefined);
  assertEquals(told.length, 24);
  for (const { name, parameters, transformer } of told) {
    const tensors = new Map<string, StoredTensor>(
      parameters.map(({ name, shape }) => [
        name,
        { dtype: "F32", shape, data: new Float32Array() },
      ]),
    );
    if (transformer?.family === "torchvision") {
      tensors.set("conv_proj.weight", tensors.get("patch_embed.proj.weight")!);
      tensors.delete("patch_embed.proj.weight");
    }
    if (transformer?.family === "deit") {
      tensors.set("head.weight", {
        dtype: "F32",
        shape: [1000, transformer.dim],
        data: new Float32Array(),
      });
    }
    assertEquals(recogniseArchitecture(tensors).name, name);
  }
});

Deno.test("transformerTensors() leaves out what features do not depend on", () => {
  const network = NETS["deit_distilled"]!();
  const tensors = new Map(random(network));
  const head: StoredTensor = {
    dtype: "F32",
    shape: [1],
    data: new Float32Array(1),
  };
  for (const name of ["head.weight", "head_dist.bias", "mask_token"]) {
    tensors.set(name, head);
  }
  const { unexpected } = transformerTensors(tensors, network.transformer!);
  assertEquals(unexpected, []);
});

Deno.test("convertWeights() tells positions and the extents of a transformer's tokens", () => {
  const network = NETS["dinov3"]!("timm");
  const { bytes } = convertWeights(random(network), network);
  const { metadataProps, graph } = decodeModel(bytes);
  const positions = metadataProps!.find(({ key }) => key === "positions");
  assertEquals(positions?.value, "timm");
  const [output] = graph!.output!;
  assertEquals(output!.name, "tokens");
  assertEquals(output!.type!.tensorType!.shape!.dim!.length, 3);
});
