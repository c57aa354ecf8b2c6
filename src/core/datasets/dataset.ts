/** Where the ground truth of an image lies. */
export interface MaskSource {
  /** An image file, or a `.npy` file of several frames. */
  readonly path: string;
  /** Further masks of the image: a pixel is anomalous if one of them says so. */
  readonly others?: readonly string[];
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
  /**
   * Whether the dataset does not say which normal images are to fit and which to
   * test, so that a seeded share was held out.
   */
  readonly isDivided?: boolean;
}

/**
 * How a dataset is laid out: `mvtec` MVTec AD, `loco` MVTec LOCO AD, `btad`
 * BTAD, `visa` VisA, `mtd` Magnetic Tile Defects, `mstc` ShanghaiTech Campus,
 * `kolektor` KolektorSDD, `kolektor2` KolektorSDD2, `folders` plain folders of
 * normal and abnormal images and masks, `list` a CSV file.
 */
export type LayoutName =
  | "mvtec"
  | "loco"
  | "btad"
  | "visa"
  | "mtd"
  | "mstc"
  | "kolektor"
  | "kolektor2"
  | "folders"
  | "list";

/** Folders of a dataset by name, each relative to the dataset's folder. */
export interface FolderNames {
  /** Folder of the normal images. */
  readonly normal: string;
  /** Folders of the abnormal images; by default those whose name says so. */
  readonly abnormal?: readonly string[];
  /** Folder of the masks; by default the one whose name says so. */
  readonly masks?: string;
}

/** Choices that a layout leaves open. */
export interface DatasetOptions {
  /**
   * What the images are wanted for, default `"evaluate"`: only that needs
   * masks, and images of both parts; `"fit"` does without test images and
   * `"predict"` without training images.
   */
  readonly purpose?: "fit" | "predict" | "evaluate";
  /** Where normal and abnormal images lie, instead of a known layout. */
  readonly folders?: FolderNames;
  /**
   * Told of a category that cannot be read, which is left out then; without
   * it the first such error is thrown.
   */
  readonly onCategoryError?: (category: string, error: Error) => void;
  /** Seed that chooses the held-out normal images, default 0. */
  readonly seed?: number;
  /**
   * Share of the normal images that is tested instead of fitted where the
   * dataset does not say which (`mtd`, `kolektor`, `folders`, `list`), default 0.2.
   */
  readonly holdout?: number;
  /** Of a video, every so many-th frame is taken (`mstc`), default 5. */
  readonly frameStep?: number;
}
