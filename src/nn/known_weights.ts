/**
 * The networks whose published ImageNet weights can be pulled: torchvision's
 * first set (IMAGENET1K_V1), with which the PatchCore paper worked.
 *
 * Source: torchvision/models/{resnet,densenet}.py
 *
 * @module
 */

/** Where the weights of a network are published. */
export interface KnownWeights {
  /** Name of the network, also of its architecture. */
  readonly name: string;
  /** Name of the official file. */
  readonly file: string;
  /**
   * The official file's SHA-256 in hexadecimal: all 64 digits where they are
   * known, else the first 8, which its name has.
   */
  readonly sha256: string;
  /** Millions of parameters, classifier included. */
  readonly megaparameters: number;
  /** Address of the official file. */
  readonly url: string;
  /** Address of the same weights as safetensors, whose SHA-256 is not known. */
  readonly timmUrl: string;
}

const OFFICIAL = "https://download.pytorch.org/models";
const TIMM = "https://huggingface.co/timm";

// torchvision publishes 8 digits; these are pinned alike by several projects.
const RESNET18 =
  "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec";
const RESNET50 =
  "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a";

/** The networks that can be pulled, by name. */
export const KNOWN_WEIGHTS: ReadonlyMap<string, KnownWeights> = new Map(
  ([
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
    const url = `${OFFICIAL}/${file}`;
    const timmUrl = `${TIMM}/${name}.tv_in1k/resolve/main/model.safetensors`;
    return [name, { name, file, sha256, megaparameters, url, timmUrl }];
  }),
);

/** Metadata key of an ONNX file: which published weights it was made of. */
export const WEIGHTS_KEY = "weights";

/** What published weights are called: `torchvision IMAGENET1K_V1 resnet18`. */
export function weightsTitle({ name }: KnownWeights): string {
  return `torchvision IMAGENET1K_V1 ${name}`;
}

/**
 * The published weights whose official file has this SHA-256, told by as many
 * digits as are known of it.
 *
 * @param digest SHA-256 of a file, 64 hexadecimal digits.
 */
export function knownByDigest(digest: string): KnownWeights | undefined {
  return KNOWN_WEIGHTS.values().find(({ sha256 }) => digest.startsWith(sha256));
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
