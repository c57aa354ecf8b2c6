/**
 * The networks whose published weights can be pulled: torchvision's first set
 * (IMAGENET1K_V1), with which the PatchCore paper worked, its vision
 * transformers, and DINO, DINOv2, DINOv3 and DeiT.
 *
 * Sources: torchvision/models/{resnet,densenet,vision_transformer}.py, and the
 * publications' own lists.
 *
 * @module
 */

/** Terms that weights come under. */
export interface Licence {
  /** What it is called. */
  readonly name: string;
  /** Where its text is. */
  readonly url: string;
  /** What it asks, in a sentence each; none where it asks next to nothing. */
  readonly terms: readonly string[];
}

/** Where the weights of a network are published. */
export interface KnownWeights {
  /** Name of the network, also of its architecture. */
  readonly name: string;
  /** What the weights are called. */
  readonly title: string;
  /** Name of the official file. */
  readonly file: string;
  /**
   * The official file's SHA-256 in hexadecimal: all 64 digits where they are
   * known, else the first 8, which its name has; empty where none are known.
   */
  readonly sha256: string;
  /** Millions of parameters, classifier included. */
  readonly megaparameters: number;
  /** Address of the official file; none where one has to ask for it. */
  readonly url?: string;
  /** Address of the same weights as safetensors, whose SHA-256 is not known. */
  readonly timmUrl?: string;
  /** Terms of the weights. */
  readonly licence: Licence;
}

const OFFICIAL = "https://download.pytorch.org/models";
const META = "https://dl.fbaipublicfiles.com";
const TIMM = "https://huggingface.co/timm";

const BSD: Licence = {
  name: "BSD-3-Clause",
  url: "https://github.com/pytorch/vision/blob/main/LICENSE",
  terms: [],
};
const APACHE: Licence = {
  name: "Apache-2.0",
  url: "https://www.apache.org/licenses/LICENSE-2.0",
  terms: [],
};
const DINOV3: Licence = {
  name: "DINOv3 License",
  url: "https://ai.meta.com/resources/models-and-libraries/dinov3-license/",
  terms: [
    "Commercial use is permitted",
    "Whoever passes the weights on, or what is derived from them, does so under the same terms and with a copy of them",
    "Military, nuclear and weapons uses, and uses that are subject to ITAR, are not permitted",
  ],
};

// torchvision publishes 8 digits; these are pinned alike by several projects.
const RESNET18 =
  "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec";
const RESNET50 =
  "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a";

const TORCHVISION: readonly KnownWeights[] = ([
  ["resnet18", RESNET18, 11.7],
  ["resnet34", "b627a593", 21.8],
  ["resnet50", RESNET50, 25.6],
  ["resnet101", "63fe2227", 44.5],
  ["wide_resnet50_2", "95faca4d", 68.9],
  ["wide_resnet101_2", "32ee1156", 126.9],
  ["resnext50_32x4d", "7cdf4587", 25.0],
  ["resnext101_32x8d", "8ba56ff5", 88.8],
  ["densenet121", "a639ec97", 8.0],
  ["densenet201", "c1103571", 20.0],
] as const).map(([name, sha256, megaparameters]) => {
  const file = `${name}-${sha256.slice(0, 8)}.pth`;
  return {
    ...{ name, file, sha256, megaparameters, licence: BSD },
    title: `torchvision IMAGENET1K_V1 ${name}`,
    url: `${OFFICIAL}/${file}`,
    timmUrl: `${TIMM}/${name}.tv_in1k/resolve/main/model.safetensors`,
  };
});

const TORCHVISION_TRANSFORMERS: readonly KnownWeights[] = ([
  ["vit_b_16", "c867db91", 86.6],
  ["vit_l_16", "852ce7e3", 304.3],
] as const).map(([name, sha256, megaparameters]) => {
  const file = `${name}-${sha256}.pth`;
  return {
    ...{ name, file, sha256, megaparameters, licence: BSD },
    title: `torchvision IMAGENET1K_V1 ${name}`,
    url: `${OFFICIAL}/${file}`,
  };
});

// Not Meta's: refiners and other projects that pin them agree.
const DINOV2_WEIGHTS: readonly KnownWeights[] = ([
  [
    "vits14",
    "small",
    22.1,
    "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    "f433177089a681826f849f194ece3bb48f4d63fb38d32fc837e3dc7a4e5641fb",
  ],
  [
    "vitb14",
    "base",
    86.6,
    "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
    "73182a088cf94833c94b1666d1c99e02fe87e2007bff57b564fb6206e25dba71",
  ],
  [
    "vitl14",
    "large",
    304.4,
    "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    "36e4deffbaef061a2576705b0c36f93621e2ae20bf6274694821b0b492551b51",
  ],
  [
    "vitg14",
    "giant",
    1136.5,
    "baf8467e50af277596bbbafa06887c177ee899ab46033649c383577d7e9309d3",
    "746ecb8c6301c645c5c855be91687d274587d6e48fdaec4a729753160b34a283",
  ],
] as const).flatMap(([size, timm, megaparameters, plain, registers]) =>
  ([["", plain, ""], ["_reg4", registers, "reg4_"]] as const).map(
    ([suffix, sha256, infix]) => {
      const name = `dinov2_${size}${suffix}`;
      const file = `${name}_pretrain.pth`;
      return {
        ...{ name, file, sha256, megaparameters, licence: APACHE },
        title: `DINOv2 LVD-142M ${name}`,
        url: `${META}/dinov2/dinov2_${size}/${file}`,
        timmUrl:
          `${TIMM}/vit_${timm}_patch14_${infix}dinov2.lvd142m/resolve/main/model.safetensors`,
      };
    },
  )
);

const DINOV3_WEIGHTS: readonly KnownWeights[] = ([
  ["vits16", "small", "08c60483", 21.6],
  ["vits16plus", "small_plus", "4057cbaa", 28.7],
  ["vitb16", "base", "73cec8be", 85.7],
  ["vitl16", "large", "8aa4cbdd", 303.1],
] as const).map(([size, timm, sha256, megaparameters]) => ({
  ...{ name: `dinov3_${size}`, sha256, megaparameters, licence: DINOV3 },
  title: `DINOv3 LVD-1689M dinov3_${size}`,
  file: `dinov3_${size}_pretrain_lvd1689m-${sha256}.pth`,
  timmUrl:
    `${TIMM}/vit_${timm}_patch16_dinov3.lvd1689m/resolve/main/model.safetensors`,
}));

const DINO_WEIGHTS: readonly KnownWeights[] = ([
  ["vits16", "deitsmall16", "small", 16, 21.7],
  ["vits8", "deitsmall8", "small", 8, 21.7],
  ["vitb16", "vitbase16", "base", 16, 85.8],
  ["vitb8", "vitbase8", "base", 8, 85.8],
] as const).map(([size, folder, timm, patch, megaparameters]) => {
  const file = `dino_${folder}_pretrain.pth`;
  return {
    ...{ name: `dino_${size}`, file, sha256: "", megaparameters },
    ...{ title: `DINO ImageNet dino_${size}`, licence: APACHE },
    url: `${META}/dino/dino_${folder}_pretrain/${file}`,
    timmUrl:
      `${TIMM}/vit_${timm}_patch${patch}_224.dino/resolve/main/model.safetensors`,
  };
});

const DEIT_WEIGHTS: readonly KnownWeights[] = ([
  ["tiny", "a1311bcf", "b40b3cf7", 5.7],
  ["small", "cd65a155", "649709d9", 22.1],
  ["base", "b5f2ef4d", "df68dfff", 86.6],
] as const).flatMap(([size, plain, distilled, megaparameters]) =>
  ([["", plain], ["_distilled", distilled]] as const).map(
    ([suffix, sha256]) => {
      const file = `deit_${size}${suffix}_patch16_224-${sha256}.pth`;
      return {
        ...{ name: `deit_${size}${suffix}`, file, sha256, megaparameters },
        ...{ title: `DeiT ImageNet deit_${size}${suffix}`, licence: APACHE },
        url: `${META}/deit/${file}`,
        timmUrl:
          `${TIMM}/deit_${size}${suffix}_patch16_224.fb_in1k/resolve/main/model.safetensors`,
      };
    },
  )
);

/** The networks that can be pulled, by name. */
export const KNOWN_WEIGHTS: ReadonlyMap<string, KnownWeights> = new Map(
  [
    ...TORCHVISION,
    ...DINOV2_WEIGHTS,
    ...DINOV3_WEIGHTS,
    ...DINO_WEIGHTS,
    ...DEIT_WEIGHTS,
    ...TORCHVISION_TRANSFORMERS,
  ].map((known) => [known.name, known]),
);

/** Metadata key of an ONNX file: the name of the licence that its weights come under. */
export const LICENCE_KEY = "licence";

/** Metadata key of an ONNX file: the text of that licence. */
export const LICENCE_TEXT_KEY = "licence_text";

/** Metadata key of an ONNX file: which published weights it was made of. */
export const WEIGHTS_KEY = "weights";

/** What published weights are called: `torchvision IMAGENET1K_V1 resnet18`. */
export function weightsTitle({ title }: KnownWeights): string {
  return title;
}

/**
 * The published weights whose official file has this SHA-256, told by as many
 * digits as are known of it.
 *
 * @param digest SHA-256 of a file, 64 hexadecimal digits.
 */
export function knownByDigest(digest: string): KnownWeights | undefined {
  return KNOWN_WEIGHTS.values().find(({ sha256 }) =>
    sha256 !== "" && digest.startsWith(sha256)
  );
}

/**
 * Returns the name torchvision gives a tensor today. DenseNet's published files
 * are older than that name: `denselayer1.norm.1.weight` is `norm1.weight` now.
 */
export function currentTensorName(name: string): string {
  return name.replace(
    /^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var|num_batches_tracked))$/,
    "$1$2",
  );
}
