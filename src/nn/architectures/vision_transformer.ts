/**
 * Vision transformers as DINO, DINOv2, DINOv3, DeiT and torchvision build
 * them: Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929; Oquab et al.
 * 2023, https://arxiv.org/abs/2304.07193.
 *
 * Operators are those of opset 17, spelt as PyTorch's exporter does, but for
 * shapes: image size and batch stay free.
 *
 * @module
 */
import {
  type Architecture,
  type Positions,
  TOKENS,
  type Transformer,
} from "./architecture.ts";
import { addRotaryAngles, type Angles, rotate } from "./rotary_positions.ts";
import { addTablePositions } from "./table_positions.ts";
import { TransformerBuilder } from "./transformer_builder.ts";

/** What differs between vision transformers. */
interface VisionTransformerOptions
  extends Pick<Transformer, "family" | "patch" | "dim" | "heads"> {
  /** Name, e.g. `dinov2_vits14`. */
  readonly name: string;
  /** Blocks that the checkpoint has. */
  readonly depth: number;
  /** Blocks that are kept, all by default. */
  readonly until?: number;
  /** Patches of a side of the table of positions; by default they are rotary. */
  readonly grid?: number;
  /** Tokens that stand between the class token and the patches, 0 by default. */
  readonly registers?: number;
  /** Whether the second token is for distillation. */
  readonly distilled?: boolean;
  /** Dimensions inside the feed-forward layers, four times the token's by default. */
  readonly hidden?: number;
  /** How the feed-forward layers are made, `"gelu"` by default. */
  readonly feedForward?: Transformer["feedForward"];
  /** How positions are fitted to the image, `"hub"` by default. */
  readonly positions?: Positions;
}

/**
 * Describes a vision transformer. Tensors are named as in the checkpoints of
 * DINOv2, but that `cls_token` has its position added already and `pos_embed`
 * has those of patches alone.
 */
export function visionTransformer(
  options: VisionTransformerOptions,
): Architecture {
  const { name, family, patch, dim, heads, depth, grid } = options;
  const { registers = 0, distilled = false, positions = "hub" } = options;
  const isFixed = family === "torchvision" || family === "deit";
  const transformer: Transformer = {
    ...{ family, patch, dim, heads, positions },
    depth: options.until ?? depth,
    fullDepth: depth,
    prefix: 1 + registers + Number(distilled),
    hidden: options.hidden ?? 4 * dim,
    feedForward: options.feedForward ?? "gelu",
    layerScale: family === "dinov2" || family === "dinov3",
    ...(grid !== undefined && { grid }),
    ...(isFixed && grid !== undefined && { size: grid * patch }),
  };
  const builder = new TransformerBuilder();
  let x = addEmbedding(builder, transformer, { registers, distilled });
  const angles = grid === undefined
    ? addRotaryAngles(builder, transformer, builder.grid(transformer.patch))
    : undefined;
  for (let i = 0; i < transformer.depth; i++) {
    x = addBlock(builder, transformer, `blocks.${i}`, x, angles);
  }
  addNorm(builder, transformer, "norm", x, TOKENS);
  const { parameters, nodes } = builder;
  return { name, parameters, nodes, levels: [], transformer };
}

/** Patches as tokens behind the class token, with their positions. */
function addEmbedding(
  builder: TransformerBuilder,
  { patch, dim, grid, positions, family, size }: Transformer,
  { registers, distilled }: {
    readonly registers: number;
    readonly distilled: boolean;
  },
): string {
  const name = "patch_embed.proj";
  const fanIn = 3 * patch * patch;
  const weight = builder.parameter(
    `${name}.weight`,
    [dim, 3, patch, patch],
    "conv_weight",
    fanIn,
  );
  const bias = builder.parameter(`${name}.bias`, [dim], "linear_bias", fanIn);
  const image = builder.node("Conv", "/patch_embed/proj/Conv", [
    "input",
    weight,
    bias,
  ], {
    dilations: [1, 1],
    group: 1,
    kernel_shape: [patch, patch],
    pads: [0, 0, 0, 0],
    strides: [patch, patch],
  });
  const shape = builder.integers("/patch_embed/shape", [0, dim, -1]);
  const flat = builder.node("Reshape", "/patch_embed/Reshape", [image, shape]);
  let patches = builder.node("Transpose", "/patch_embed/Transpose", [flat], {
    perm: [0, 2, 1],
  });
  const batch = builder.batch();
  const token = (token: string, count: number): string => {
    const value = builder.parameter(token, [1, count, dim], "token", dim);
    const rest = builder.integers(`/${token}/rest`, [count, dim]);
    const shape = builder.node("Concat", `/${token}/shape`, [batch, rest], {
      axis: 0,
    });
    return builder.node("Expand", `/${token}/Expand`, [value, shape]);
  };
  const own = [
    token("cls_token", 1),
    ...(distilled ? [token("dist_token", 1)] : []),
    ...(registers > 0 ? [token("register_tokens", registers)] : []),
  ];
  if (grid !== undefined) {
    const table = builder.parameter(
      "pos_embed",
      [1, grid * grid, dim],
      "token",
      dim,
    );
    const fitted = size === undefined
      ? addTablePositions(builder, table, {
        ...{ grid, dim, to: builder.grid(patch) },
        resampling: positions === "hub"
          ? (registers > 0 ? "antialiased" : "offset")
          : positions === "timm" || registers > 0 && family === "dinov2"
          ? "antialiased"
          : "plain",
      })
      : table;
    patches = builder.node("Add", "/pos_embed/Add", [patches, fitted]);
  }
  return builder.node("Concat", "/tokens/Concat", [...own, patches], {
    axis: 1,
  });
}

function addNorm(
  builder: TransformerBuilder,
  { family, dim }: Transformer,
  name: string,
  input: string,
  output?: string,
): string {
  const weight = builder.parameter(
    `${name}.weight`,
    [dim],
    "norm_weight",
    dim,
  );
  const bias = builder.parameter(`${name}.bias`, [dim], "norm_bias", dim);
  const epsilon = family === "dinov3" ? 1e-5 : 1e-6;
  return builder.node(
    "LayerNormalization",
    `/${name}/LayerNormalization`,
    [input, weight, bias],
    { axis: -1, epsilon },
    output,
  );
}

/** `x + scale · attention(norm(x))`, then the same of the feed-forward layers. */
function addBlock(
  builder: TransformerBuilder,
  transformer: Transformer,
  name: string,
  input: string,
  angles: Angles | undefined,
): string {
  const attended = addAttention(
    builder,
    transformer,
    `${name}.attn`,
    addNorm(builder, transformer, `${name}.norm1`, input),
    angles,
  );
  const scaled = addScale(builder, transformer, `${name}.ls1`, attended);
  const x = builder.node("Add", `/${name}/Add`, [input, scaled]);
  const fed = addFeedForward(
    builder,
    transformer,
    `${name}.mlp`,
    addNorm(builder, transformer, `${name}.norm2`, x),
  );
  const last = addScale(builder, transformer, `${name}.ls2`, fed);
  return builder.node("Add", `/${name}/Add_1`, [x, last], {}, name);
}

function addScale(
  builder: TransformerBuilder,
  { layerScale, dim }: Transformer,
  name: string,
  input: string,
): string {
  if (!layerScale) return input;
  const gamma = builder.parameter(`${name}.gamma`, [dim], "scale", dim);
  return builder.node("Mul", `/${name}/Mul`, [input, gamma]);
}

function addAttention(
  builder: TransformerBuilder,
  { dim, heads, prefix }: Transformer,
  name: string,
  input: string,
  angles: Angles | undefined,
): string {
  const node = `/${name}`;
  const width = dim / heads;
  const packed = builder.linear(`${name}.qkv`, input, dim, 3 * dim);
  const split = builder.node("Reshape", `${node}/Reshape`, [
    packed,
    builder.integers(`${node}/shape`, [0, -1, 3, heads, width]),
  ]);
  const parts = builder.node("Transpose", `${node}/Transpose`, [split], {
    perm: [2, 0, 3, 1, 4],
  });
  const [q, k, v] = ["q", "k", "v"].map((part, i) =>
    builder.node("Gather", `${node}/${part}/Gather`, [
      parts,
      builder.integer(`${node}/${part}/index`, i),
    ], { axis: 0 })
  );
  const scale = builder.float(`${node}/scale`, width ** -0.5);
  let query = builder.node("Mul", `${node}/Mul`, [q!, scale]);
  let key = k!;
  if (angles) {
    const turned = { ...angles, prefix, width };
    query = rotate(builder, `${node}/q`, query, turned);
    key = rotate(builder, `${node}/k`, key, turned);
  }
  const across = builder.node("Transpose", `${node}/Transpose_1`, [key], {
    perm: [0, 1, 3, 2],
  });
  const logits = builder.node("MatMul", `${node}/MatMul`, [query, across]);
  const weights = builder.node("Softmax", `${node}/Softmax`, [logits], {
    axis: -1,
  });
  const mixed = builder.node("MatMul", `${node}/MatMul_1`, [weights, v!]);
  const byToken = builder.node("Transpose", `${node}/Transpose_2`, [mixed], {
    perm: [0, 2, 1, 3],
  });
  const joined = builder.node("Reshape", `${node}/Reshape_1`, [
    byToken,
    builder.integers(`${node}/shape_1`, [0, -1, dim]),
  ]);
  return builder.linear(`${name}.proj`, joined, dim, dim);
}

function addFeedForward(
  builder: TransformerBuilder,
  { dim, hidden, feedForward }: Transformer,
  name: string,
  input: string,
): string {
  if (feedForward === "gelu") {
    const x = builder.linear(`${name}.fc1`, input, dim, hidden);
    const active = addGelu(builder, `/${name}`, x);
    return builder.linear(`${name}.fc2`, active, hidden, dim);
  }
  const [gate, value] = feedForward === "gate"
    ? [
      builder.linear(`${name}.w1`, input, dim, hidden),
      builder.linear(`${name}.w2`, input, dim, hidden),
    ]
    : splitGate(
      builder,
      name,
      builder.linear(`${name}.w12`, input, dim, 2 * hidden),
      hidden,
    );
  const sigmoid = builder.node("Sigmoid", `/${name}/Sigmoid`, [gate!]);
  const silu = builder.node("Mul", `/${name}/Mul`, [gate!, sigmoid]);
  const gated = builder.node("Mul", `/${name}/Mul_1`, [silu, value!]);
  return builder.linear(`${name}.w3`, gated, hidden, dim);
}

function splitGate(
  builder: TransformerBuilder,
  name: string,
  packed: string,
  hidden: number,
): readonly [string, string] {
  const halves = [`/${name}/gate`, `/${name}/value`] as const;
  const sizes = builder.integers(`/${name}/halves`, [hidden, hidden]);
  builder.node(
    "Split",
    `/${name}/Split`,
    [packed, sizes],
    { axis: -1 },
    halves,
  );
  return halves;
}

/** Exact GELU, `½ x (1 + erf(x / √2))`, in opset 17's operators. */
function addGelu(
  builder: TransformerBuilder,
  name: string,
  input: string,
): string {
  const root = builder.float(`${name}/root`, Math.SQRT2);
  const one = builder.float(`${name}/one`, 1);
  const half = builder.float(`${name}/half`, 0.5);
  const scaled = builder.node("Div", `${name}/Div`, [input, root]);
  const erf = builder.node("Erf", `${name}/Erf`, [scaled]);
  const cumulative = builder.node("Add", `${name}/Add`, [erf, one]);
  const doubled = builder.node("Mul", `${name}/Mul`, [input, cumulative]);
  return builder.node("Mul", `${name}/Mul_1`, [doubled, half]);
}
