/**
 * What settings are at most, in a file or as given: far beyond what anybody
 * needs, and so little that tables of such sizes are made in a moment.
 */
export const LIMITS = {
  /** Pixels of a side of the network's input. */
  side: 16_384,
  /** Tiles of an image. */
  tiles: 65_536,
  /** Layers to tap. */
  layers: 16,
  /** Pixels that the input's sides are multiples of. */
  patch: 256,
  /** What a patch's principal component has to be above. */
  component: 1e6,
  /** Rotations of a training image. */
  rotations: 360,
  /** Characters of a layer's name. */
  name: 1000,
  /** Side of a patch's neighbourhood in feature pixels. */
  patchSize: 63,
  /** Feature pixels from one patch to the next. */
  stride: 1024,
  /** Dimensions of a feature, or of what one layer adds to it. */
  dim: 16_384,
  /** Dimensions that the coreset's projection leaves. */
  projected: 4096,
  /** Rows of a memory bank. */
  rows: 2_147_483_647,
  /** Standard deviation of the map's Gaussian in pixels. */
  sigma: 256,
  /** The share of good parts that is to be called anomalous. */
  falseAlarms: 0.5,
  /** What a threshold's quantile is multiplied with. */
  factor: 1e6,
  /** Images of a batch. */
  batch: 4096,
  /** Pixels of a side of a training image. */
  imageSide: 1_000_000,
  /** Pixels of the images that a region is drawn for. */
  regionPixels: 268_435_456,
  /** Characters of what tells how a part of a region was given. */
  regionWords: 4096,
} as const;
