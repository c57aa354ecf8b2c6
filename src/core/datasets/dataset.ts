/** Where the ground truth of an image lies. */
export interface MaskSource {
  /** An image file, or a `.npy` file of several frames. */
  readonly path: string;
  /** The frame's index in a `.npy` file. */
  readonly frame?: number;
  /**
   * Whether every value but 0 is anomalous, however small (VisA writes the
   * number of the defect's kind); otherwise the mask is grey, 0 to 255.
   */
  readonly nonZero?: boolean;
}

/** One image of a dataset. */
export interface Sample {
  /** The image file. */
  readonly path: string;
  /** What the dataset says about the image. */
  readonly label: "normal" | "anomalous";
  /** The kind of defect, where the dataset tells kinds apart. */
  readonly defect?: string;
  /** The ground truth of the image's pixels, where the dataset has it. */
  readonly mask?: MaskSource;
}

/** One kind of object: trained and tested on its own. */
export interface Category {
  /** The category's name. */
  readonly name: string;
  /** The nominal images to fit. */
  readonly train: readonly Sample[];
  /** The images to predict, normal and anomalous. */
  readonly test: readonly Sample[];
}

/**
 * How a dataset is laid out: `mvtec` MVTec AD, `btad` BTAD, `visa` VisA,
 * `mtd` Magnetic Tile Defects, `mstc` ShanghaiTech Campus, `folders` plain
 * folders normal, abnormal and masks.
 */
export type LayoutName =
  | "mvtec"
  | "btad"
  | "visa"
  | "mtd"
  | "mstc"
  | "folders";

/** Choices that a layout leaves open. */
export interface DatasetOptions {
  /** Seed that chooses the held-out normal images, default 0. */
  readonly seed?: number;
  /**
   * Share of the normal images that is tested instead of fitted where the
   * dataset does not say which (`mtd`, `folders`), default 0.2.
   */
  readonly holdout?: number;
  /** Of a video, every so many-th frame is taken (`mstc`), default 5. */
  readonly frameStep?: number;
}
