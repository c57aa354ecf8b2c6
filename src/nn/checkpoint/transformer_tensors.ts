/**
 * A vision transformer's weights under the names of one program, whatever
 * program named them: the network's own publication, transformers, timm or
 * torchvision.
 *
 * @module
 */
import type {
  Architecture,
  Transformer,
} from "../architectures/architecture.ts";
import { floatData, type StoredTensor } from "../stored_tensor.ts";
import type { StateDict } from "./state_dict.ts";

/** Weights by the names of the architecture, and what belongs nowhere. */
export interface TransformerTensors {
  /** The weights. */
  readonly tensors: StateDict;
  /** Names as the checkpoint has them of tensors that the network lacks. */
  readonly unexpected: readonly string[];
}

/** Tensors that take no part in the features: heads, masks of training. */
const UNUSED =
  /^(mask_token|rope_embed\.periods|pooler\..*|(pre_logits|heads?|head_dist|fc_norm|classifier|(cls|distillation)_classifier|local_cls_norm|lm_head|decoder)\..*|blocks\.\d+\.attn\.qkv\.bias_mask)$/;

/** Prefixes that whole checkpoints are put under. */
const PREFIXES = ["backbone.", "vit.", "deit.", "dinov2.", "teacher.backbone."];

/** Names of other programs, as the publication has them; applied in order. */
const RENAMES: readonly (readonly [RegExp, string])[] = [
  // transformers
  [/^embeddings\.(cls_token|mask_token)$/, "$1"],
  [/^embeddings\.distillation_token$/, "dist_token"],
  [/^embeddings\.register_tokens$/, "register_tokens"],
  [/^embeddings\.position_embeddings$/, "pos_embed"],
  [/^embeddings\.patch_embeddings(\.projection)?\./, "patch_embed.proj."],
  [/^encoder\.layer\.(\d+)\./, "blocks.$1."],
  [/^layer\.(\d+)\./, "blocks.$1."],
  [/^(blocks\.\d+\.)attention\.attention\.(query|key|value)\./, "$1attn.$2."],
  [/^(blocks\.\d+\.)attention\.output\.dense\./, "$1attn.proj."],
  [/^(blocks\.\d+\.)attention\.(q|k|v)_proj\./, "$1attn.$2."],
  [/^(blocks\.\d+\.)attention\.o_proj\./, "$1attn.proj."],
  [/^(blocks\.\d+\.attn\.)query\./, "$1q."],
  [/^(blocks\.\d+\.attn\.)key\./, "$1k."],
  [/^(blocks\.\d+\.attn\.)value\./, "$1v."],
  [/^(blocks\.\d+\.)layer_scale([12])\.lambda1$/, "$1ls$2.gamma"],
  [/^(blocks\.\d+\.)layernorm_before\./, "$1norm1."],
  [/^(blocks\.\d+\.)layernorm_after\./, "$1norm2."],
  [/^(blocks\.\d+\.)intermediate\.dense\./, "$1mlp.fc1."],
  [/^(blocks\.\d+\.)output\.dense\./, "$1mlp.fc2."],
  [/^(blocks\.\d+\.mlp\.)weights_in\./, "$1w12."],
  [/^(blocks\.\d+\.mlp\.)weights_out\./, "$1w3."],
  [/^layernorm\./, "norm."],
  // timm
  [/^reg_token$/, "register_tokens"],
  [/^(blocks\.\d+\.)gamma_([12])$/, "$1ls$2.gamma"],
  [/^(blocks\.\d+\.attn\.)q_bias$/, "$1q.bias"],
  [/^(blocks\.\d+\.attn\.)v_bias$/, "$1v.bias"],
  // torchvision
  [/^conv_proj\./, "patch_embed.proj."],
  [/^class_token$/, "cls_token"],
  [/^encoder\.pos_embedding$/, "pos_embed"],
  [/^encoder\.layers\.encoder_layer_(\d+)\./, "blocks.$1."],
  [/^(blocks\.\d+\.)ln_([12])\./, "$1norm$2."],
  [/^(blocks\.\d+\.)self_attention\.in_proj_/, "$1attn.qkv."],
  [/^(blocks\.\d+\.)self_attention\.out_proj\./, "$1attn.proj."],
  [/^(blocks\.\d+\.mlp\.)(?:0|linear_1)\./, "$1fc1."],
  [/^(blocks\.\d+\.mlp\.)(?:3|linear_2)\./, "$1fc2."],
  [/^encoder\.ln\./, "norm."],
  // DINOv3
  [/^storage_tokens$/, "register_tokens"],
];

/** Gated feed-forward layers, which programs name alike but mean otherwise. */
const GATES: readonly (readonly [RegExp, string])[] = [
  [/^(blocks\.\d+\.mlp\.)(?:gate_proj|fc1_g)\./, "$1w1."],
  [/^(blocks\.\d+\.mlp\.)(?:up_proj|fc1_x)\./, "$1w2."],
  [/^(blocks\.\d+\.mlp\.)(?:down_proj|fc2)\./, "$1w3."],
];
const PACKED_GATES: readonly (readonly [RegExp, string])[] = [
  [/^(blocks\.\d+\.mlp\.)fc1\./, "$1w12."],
  [/^(blocks\.\d+\.mlp\.)fc2\./, "$1w3."],
];
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/^(blocks\.\d+\.mlp\.)up_proj\./, "$1fc1."],
  [/^(blocks\.\d+\.mlp\.)down_proj\./, "$1fc2."],
];

const FEED_FORWARD = { gelu: PLAIN, gate: GATES, packed_gate: PACKED_GATES };

/**
 * The transformer whose tensors these are, told by their names and shapes. Of
 * equal ones, a checkpoint without a classifier is DINO's.
 *
 * @param networks The transformers there are.
 */
export function recogniseTransformer(
  tensors: StateDict,
  networks: readonly Architecture[],
): Architecture | undefined {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of withoutPrefix(tensors).weights) {
    shapes.set(renamed(name), shape);
  }
  const [dim, , patch] = shapes.get("patch_embed.proj.weight") ?? [];
  const [, rows] = shapes.get("pos_embed") ?? [];
  const [, registers = 0] = shapes.get("register_tokens") ?? [];
  const distilled = shapes.has("dist_token");
  const isGated = shapes.keys().some((name) =>
    /^blocks\.0\.mlp\.(w1|gate_proj|fc1_g)\.weight$/.test(name)
  );
  const depth = shapes.keys().filter((name) => name.endsWith(".norm1.weight"))
    .toArray().length;
  const family = isTorchvisions(tensors)
    ? "torchvision"
    : distilled || hasClassifier(tensors)
    ? "deit"
    : "dino";
  return networks.find(({ transformer }) => {
    if (transformer === undefined) return false;
    const { layerScale, grid, prefix, feedForward } = transformer;
    const patches = grid === undefined ? undefined : grid * grid;
    return transformer.dim === dim && transformer.patch === patch &&
      transformer.fullDepth === depth &&
      prefix === 1 + registers + Number(distilled) &&
      layerScale === shapes.has("blocks.0.ls1.gamma") &&
      (feedForward === "gate") === isGated &&
      (patches === undefined
        ? rows === undefined
        : rows !== undefined && rows >= patches && rows <= patches + prefix) &&
      (layerScale || transformer.family === family);
  });
}

/**
 * The weights of a transformer as its architecture names them: query, key and
 * value in one, the class token with its position added.
 *
 * Tensors that no features depend on are left out. What is not there stays
 * missing, for the caller to name; biases of query, key and value are 0 where
 * DINOv3's files lack them.
 */
export function transformerTensors(
  tensors: StateDict,
  network: Transformer,
): TransformerTensors {
  const named = new Map<string, StoredTensor>();
  const own = new Map<string, string>();
  const unexpected: string[] = [];
  const { weights: given, masks } = withoutPrefix(tensors);
  for (const [name, tensor] of given) {
    const ours = renamed(name, network);
    if (UNUSED.test(ours)) continue;
    if (named.has(ours)) unexpected.push(name);
    named.set(ours, tensor);
    own.set(ours, name);
  }
  for (let block = 0; block < network.fullDepth; block++) {
    joinProjections(named, `blocks.${block}.attn`, network, masks);
  }
  addClassPosition(named, network);
  const expected = namesOf(network);
  for (const name of named.keys()) {
    if (!expected.has(name)) unexpected.push(own.get(name) ?? name);
  }
  return { tensors: named, unexpected };
}

/** Whether a checkpoint has a classifier: one for features alone has none. */
function hasClassifier(tensors: StateDict): boolean {
  return tensors.keys().some((name) =>
    /^(?:\w+\.)?(head|heads|classifier|cls_classifier)\..*weight$/.test(name)
  );
}

/** Whether torchvision named the tensors. */
function isTorchvisions(tensors: StateDict): boolean {
  return tensors.has("conv_proj.weight");
}

interface Given {
  readonly weights: StateDict;
  /** Masks of biases by the name that the bias has. */
  readonly masks: StateDict;
}

function withoutPrefix(tensors: StateDict): Given {
  const prefix =
    PREFIXES.find((prefix) =>
      tensors.keys().some((name) => name.startsWith(prefix))
    ) ?? "";
  const weights = new Map<string, StoredTensor>();
  const masks = new Map<string, StoredTensor>();
  for (const [full, tensor] of tensors) {
    const name = full.startsWith(prefix) ? full.slice(prefix.length) : full;
    if (name.endsWith(".qkv.bias_mask")) {
      masks.set(name.slice(0, -"_mask".length), tensor);
    } else weights.set(name, tensor);
  }
  return { weights, masks };
}

/** A tensor's name as the publication has it, where the network is known. */
function renamed(name: string, network?: Transformer): string {
  const gates = network ? FEED_FORWARD[network.feedForward] : [];
  let ours = name;
  for (const [pattern, to] of [...RENAMES, ...gates]) {
    ours = ours.replace(pattern, to);
  }
  return ours;
}

/** Joins query, key and value, and makes the bias that the network uses. */
function joinProjections(
  named: Map<string, StoredTensor>,
  name: string,
  { dim, family }: Transformer,
  masks: StateDict,
): void {
  const parts = ["q", "k", "v"].map((part) => `${name}.${part}`);
  const weights = parts.map((part) => named.get(`${part}.weight`));
  if (weights.every((part) => part !== undefined)) {
    const length = weights.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    named.set(
      `${name}.qkv.weight`,
      joined(weights, [length, ...weights[0]!.shape.slice(1)]),
    );
    for (const part of parts) named.delete(`${part}.weight`);
  }
  if (!named.has(`${name}.qkv.weight`)) return;
  const bias = `${name}.qkv.bias`;
  const biases = parts.map((part) => named.get(`${part}.bias`));
  const isPartly = biases.some((part) => part !== undefined);
  const lacks = family === "dinov3" && !named.has(bias);
  if (isPartly || lacks) {
    const known = biases.map((part) =>
      part ?? (family === "dinov3" ? zeros(dim) : undefined)
    );
    if (!known.every((part) => part !== undefined)) return;
    named.set(bias, joined(known, [3 * dim]));
    for (const part of parts) named.delete(`${part}.bias`);
  }
  const mask = masks.get(bias);
  if (family === "dinov3" && named.has(bias)) {
    named.set(bias, masked(named.get(bias)!, mask));
  }
}

function joined(
  parts: readonly StoredTensor[],
  shape: readonly number[],
): StoredTensor {
  const all = parts.map(floatData);
  const data = new Float32Array(
    all.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of all) {
    data.set(part, at);
    at += part.length;
  }
  return { dtype: "F32", shape, data };
}

function zeros(length: number): StoredTensor {
  return { dtype: "F32", shape: [length], data: new Float32Array(length) };
}

/** A bias times its mask; 0 is never negative, as in files that leave it out. */
function masked(bias: StoredTensor, mask?: StoredTensor): StoredTensor {
  const factors = mask && floatData(mask);
  const data = floatData(bias).map((value, i) =>
    (factors?.[i] === 0 ? 0 : value * (factors?.[i] ?? 1)) + 0
  );
  return { dtype: "F32", shape: bias.shape, data };
}

/**
 * Adds the positions of the class and distillation tokens to them, as timm's
 * files with registers have it, and leaves those of the patches.
 */
function addClassPosition(
  named: Map<string, StoredTensor>,
  { grid, dim, prefix }: Transformer,
): void {
  const table = named.get("pos_embed");
  if (grid === undefined || table === undefined) return;
  const tokens = ["cls_token", "dist_token"].filter((name) => named.has(name));
  const [, rows = 0] = table.shape;
  const extra = rows - grid * grid;
  if (extra === 0 || extra > prefix || extra !== tokens.length) return;
  const values = floatData(table);
  if (values.length !== rows * dim) return;
  tokens.forEach((name, i) => {
    const token = named.get(name)!;
    if (token.data.length !== dim) return;
    const data = floatData(token).map((value, d) =>
      Math.fround(value + values[i * dim + d]!)
    );
    named.set(name, { dtype: "F32", shape: token.shape, data });
  });
  named.set("pos_embed", {
    dtype: "F32",
    shape: [1, grid * grid, dim],
    data: values.slice(extra * dim),
  });
}

/** Names of all tensors of the whole network, blocks that are cut off included. */
function namesOf(
  { fullDepth, feedForward, layerScale, grid, prefix, family }: Transformer,
): ReadonlySet<string> {
  const both = (...layers: readonly string[]): string[] =>
    layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
  const feed = {
    gelu: ["fc1", "fc2"],
    packed_gate: ["w12", "w3"],
    gate: ["w1", "w2", "w3"],
  }[feedForward].map((layer) => `mlp.${layer}`);
  const block = [
    ...both("norm1", "norm2", "attn.qkv", "attn.proj", ...feed),
    ...(layerScale ? ["ls1.gamma", "ls2.gamma"] : []),
  ];
  return new Set([
    ...both("patch_embed.proj", "norm"),
    "cls_token",
    ...(grid === undefined ? [] : ["pos_embed"]),
    ...(prefix > 2 ? ["register_tokens"] : []),
    ...(prefix === 2 && family === "deit" ? ["dist_token"] : []),
    ...Array.from({ length: fullDepth }, (_, i) => i).flatMap((i) =>
      block.map((name) => `blocks.${i}.${name}`)
    ),
  ]);
}
