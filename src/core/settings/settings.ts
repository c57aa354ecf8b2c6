/** Name of a preset. */
export type PresetName =
  | "paper"
  | "reference"
  | "anomalib"
  | "anomalydino"
  | "dino";

/** How the memory bank is thinned out. */
export interface CoresetSettings {
  /**
   * `"greedy"`: minimax facility location (paper §3.2); `"random"`: uniform
   * without replacement; `"none"`: every patch is kept.
   */
  readonly method: "greedy" | "random" | "none";
  /** Share of the training patches that is kept, above 0 and at most 1. */
  readonly ratio: number;
  /** The most rows the bank may have, whatever the ratio; `null`: no limit. */
  readonly maxBank: number | null;
  /** The random projection that the greedy choice works on. */
  readonly projection: ProjectionSettings;
  /**
   * Where the greedy choice starts: `"mean-of-10"` measures from the mean
   * distance to 10 random patches, none of them chosen (published
   * implementation); `"random"` chooses one random patch (anomalib).
   */
  readonly start: "mean-of-10" | "random";
}

/**
 * A random projection: uniform weights as of an untrained `torch.nn.Linear`,
 * Gaussian weights, sparse weights (anomalib), or none.
 */
export type ProjectionSettings =
  | {
    /** Distribution of the weights. */
    readonly kind: "linear" | "gaussian";
    /** Dimensions after the projection. */
    readonly dim: number;
  }
  | {
    /** Sparse weights; the number of patches decides the dimensions. */
    readonly kind: "sparse";
    /** Allowed relative distortion of distances, above 0 and below 1. */
    readonly eps: number;
  }
  | {
    /** The features are taken as they are. */
    readonly kind: "none";
  };

/** How patch scores become an anomaly map. */
export interface MapSettings {
  /** Interpolation from the patch grid to pixels. */
  readonly interpolation: "bilinear" | "nearest";
  /** Standard deviation of the Gaussian in pixels; 0 leaves the map as it is. */
  readonly sigma: number;
  /**
   * What lies beyond the border: `"symmetric"` repeats the edge pixel
   * (SciPy's `reflect`), `"reflect"` does not (PyTorch's `reflect`).
   */
  readonly border: "symmetric" | "reflect";
}

/** How the threshold follows from the scores of the training images. */
export interface ThresholdSettings {
  /**
   * The share of good parts that will be called anomalous, above 0 and at most
   * 0.5: what the thresholds of scores and of maps promise.
   */
  readonly falseAlarms: number;
  /**
   * Quantile of the training images' held-out scores, 0 to 1, in place of that
   * promise; 1 is the maximum, `null`: none.
   */
  readonly quantile: number | null;
  /** Quantile of the largest pixels of their maps, in place of the promise. */
  readonly mapQuantile: number | null;
  /** What both thresholds are multiplied with. */
  readonly factor: number;
}

/**
 * What becomes of an image's levels before the network: ImageNet's mean and
 * deviation, levels from 0 to 1 or from 0 to 255 as they are, or a mean and a
 * deviation of each channel in levels from 0 to 1.
 */
export type NormaliseSetting = "imagenet" | "unit" | "bytes" | {
  /** Subtracted from red, green and blue. */
  readonly mean: readonly [number, number, number];
  /** Divides them. */
  readonly std: readonly [number, number, number];
};

/**
 * Which pixels of an image are inspected, as `drawRegion` makes it of boxes,
 * polygons and masks. All others are left out of bank, scores, maps and
 * thresholds.
 */
export interface RegionSetting {
  /** Columns of the images that it was drawn for. */
  readonly width: number;
  /** Rows of those images. */
  readonly height: number;
  /**
   * Pixels row by row: so many are left out, then so many inspected, and so on
   * in turn.
   */
  readonly runs: readonly number[];
  /** What is inspected, as it was given; empty for the whole image. */
  readonly roi: readonly string[];
  /** What of it is left out, as it was given. */
  readonly ignore: readonly string[];
}

/** How images are cut into tiles, each of which the network sees alone. */
export interface TileSettings {
  /**
   * Sides of a tile at the network's input, in pixels; an image that has fewer
   * along one side has tiles of its own length there.
   */
  readonly side: number;
  /**
   * Pixels that neighbouring tiles have in common at least, at most half of
   * `side`; the tiles of an image lie evenly, so that they may have more.
   */
  readonly overlap: number;
  /** Sides of the image that is cut, as a share of the original's; 1: as it is. */
  readonly scale: number;
  /**
   * What a tile is compared with: `"shared"` one memory bank for all tiles,
   * `"position"` the rows that come from tiles at its own place alone.
   */
  readonly banks: "shared" | "position";
}

/**
 * Samples that become the levels 0 and 255; those between become levels in
 * equal steps, those beyond are clipped.
 */
export interface SampleRange {
  /** What becomes black. */
  readonly low: number;
  /** What becomes white; above `low`. */
  readonly high: number;
}

/**
 * Which patches of an image are of the part, told by the first principal
 * component of the image's own features (AnomalyDINO): patches of the ground
 * score 0.
 */
export interface ForegroundSettings {
  /**
   * `"auto"`: as `"on"` where the masks of the training images look like those
   * of parts; a fit decides, and its model has `"on"` or `"off"`.
   */
  readonly mask: "off" | "auto" | "on";
  /**
   * How the mask grows and closes by 3 × 3: on the patch grid (anomalib), or on
   * the list of its patches, hence along rows and from the end of one to the
   * start of the next (AnomalyDINO as published).
   */
  readonly morphology: "grid" | "line";
  /** What the component has to be above. */
  readonly threshold: number;
}

/**
 * Views of each training image beside itself. All of an image's views fill the
 * bank; thresholds are made of the images alone, each against a bank without
 * any of its views.
 */
export interface AugmentSettings {
  /** Rotations by equal angles, the image itself among them; 1: none. */
  readonly rotations: number;
  /** Whether it is mirrored, left to right and top to bottom. */
  readonly flips: boolean;
  /** Share by which it is made darker and lighter, below 1; 0: not at all. */
  readonly brightness: number;
}

/** Every switch of the method. Plain data: it survives JSON unchanged. */
export interface Settings {
  /**
   * How images are cut into tiles; where it is left out, an image is resized and
   * cropped as a whole. With tiles, `resize` is their side, and there is neither
   * a crop nor a square.
   */
  readonly tiles?: TileSettings;
  /** Input: pixels of the short side, or of both sides when `square`. */
  readonly resize: number;
  /** Whether the input is resized to a square, whatever its aspect ratio. */
  readonly square: boolean;
  /** Input: pixels of the centre crop's sides; `null`: no crop. */
  readonly crop: number | null;
  /**
   * Input: the right and bottom edges are cut so that sides are multiples of
   * this; `"patch"`: of the backbone's patch, where it has one.
   */
  readonly multiple: number | "patch";
  /** Input: how the image is resized, as Pillow does it. */
  readonly resample: "bilinear" | "bicubic";
  /**
   * What becomes of an image's levels; where it is left out, what the network
   * does itself tells.
   */
  readonly normalise?: NormaliseSetting;
  /** Which pixels are inspected; where it is left out, all that are seen. */
  readonly region?: RegionSetting;
  /**
   * Which samples of files with more than 8 bits a sample become black and
   * white; where it is left out, the smallest and largest that the file's bits
   * allow. Files of 8 bits are taken as they are.
   */
  readonly range?: SampleRange;
  /**
   * Taps of the backbone, the first one gives the patch grid; `last` is its
   * deepest level or block.
   */
  readonly layers: readonly string[];
  /** Side of a patch's neighbourhood in feature pixels, odd (paper: p = 3). */
  readonly patchSize: number;
  /** Step between patches in feature pixels (paper: s = 1). */
  readonly stride: number;
  /**
   * Dimensions of each layer after the local aggregation: a number averages
   * the flattened neighbourhood down (or up) to it, `"channels"` averages each
   * channel's window (`AvgPool2d`).
   */
  readonly layerDim: number | "channels";
  /**
   * Dimensions of a patch feature: a number averages the concatenated layers
   * to it, `"concat"` leaves them concatenated.
   */
  readonly dim: number | "concat";
  /** Interpolation of the deeper layers to the first layer's patch grid. */
  readonly merge: "bilinear" | "nearest";
  /** How the memory bank is thinned out. */
  readonly coreset: CoresetSettings;
  /**
   * The distance that scores and maps are made of; for `"cosine"`, 1 − cos,
   * features have the length 1, and the bank is chosen among them.
   */
  readonly distance: "euclidean" | "squared" | "cosine";
  /** Nearest bank rows whose mean distance is a patch's score. */
  readonly neighbours: number;
  /**
   * Bank rows around the nearest one that weigh the image score (paper Eq. 7:
   * b, the nearest one among them); below 2 the score is not weighed.
   */
  readonly reweight: number;
  /**
   * Share of an image's patches, those with the largest scores, whose mean is
   * the image score (rounded down, one at least); `null`: the largest alone.
   */
  readonly topShare: number | null;
  /** Which patches count. */
  readonly foreground: ForegroundSettings;
  /** Views of the training images. */
  readonly augment: AugmentSettings;
  /** How patch scores become an anomaly map. */
  readonly map: MapSettings;
  /** Seed of all random draws, an integer from 0 to 2³² − 1. */
  readonly seed: number;
  /** How the threshold follows from the scores of the training images. */
  readonly threshold: ThresholdSettings;
}

/** Settings as a user gives them: a preset, and what differs from it. */
export interface SettingsOptions extends
  Partial<
    Omit<
      Settings,
      "coreset" | "map" | "threshold" | "foreground" | "augment" | "tiles"
    >
  > {
  /** The preset to start from, `"paper"` by default. */
  readonly preset?: PresetName;
  /**
   * How images are cut into tiles; a number is their side. By default they
   * overlap by an eighth of it, are cut from the image as it is, and share one
   * memory bank.
   */
  readonly tiles?: number | Partial<TileSettings> & Pick<TileSettings, "side">;
  /** How the memory bank is thinned out; a number is the ratio. */
  readonly coreset?: number | Partial<CoresetSettings>;
  /** Which patches count. */
  readonly foreground?: Partial<ForegroundSettings>;
  /** Views of the training images. */
  readonly augment?: Partial<AugmentSettings>;
  /** How patch scores become an anomaly map. */
  readonly map?: Partial<MapSettings>;
  /** How the threshold follows from the scores of the training images. */
  readonly threshold?: Partial<ThresholdSettings>;
}
