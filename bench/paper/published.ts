/**
 * What the paper reports as means over MVTec AD, in percent.
 *
 * @module
 */

/** Image AUROC, pixel AUROC and PRO; `null` where the paper has none. */
export type Triple = readonly [
  image: number | null,
  pixel: number | null,
  pro: number | null,
];

/** Tables 1 to 3: means over MVTec AD. */
export const TABLES_1_TO_3: Readonly<Record<string, Triple>> = {
  "SPADE": [85.5, 96.0, 91.7],
  "PatchSVDD": [92.1, 95.7, null],
  "DifferNet": [94.9, null, null],
  "PaDiM": [95.3, 97.5, 92.1],
  "Mahalanobis AD": [95.8, null, null],
  "PatchCore-25%": [99.1, 98.1, 93.4],
  "PatchCore-10%": [99.0, 98.1, 93.5],
  "PatchCore-1%": [99.0, 98.0, 93.1],
};

/** Table 1: images on the wrong side of the threshold of the best F1. */
export const MISCLASSIFIED: Readonly<Record<string, number>> = {
  "PatchCore-25%": 42,
  "PatchCore-10%": 47,
  "PatchCore-1%": 49,
};

/** Table 4: larger images and backbones, 1 %. */
export const TABLE_4: Readonly<Record<string, Triple>> = {
  "WideResNet-101, layers 2 + 3, 280": [99.4, 98.2, 94.4],
  "WideResNet-101, layers 1 + 2 + 3, 280": [99.2, 98.4, 95.0],
  "Ensemble, layers 2 + 3, 320": [99.6, 98.2, 94.9],
};

/** Table 5: the same and seconds an image, on a GPU. */
export const TABLE_5: Readonly<Record<string, readonly [Triple, number]>> = {
  "PatchCore-100%": [[99.1, 98.0, 93.3], 0.6],
  "PatchCore-10%": [[99.0, 98.1, 93.5], 0.22],
  "PatchCore-1%": [[99.0, 98.0, 93.1], 0.17],
  "PatchCore-100% + IVFPQ": [[98.0, 97.9, 93.0], 0.2],
  "SPADE": [[85.3, 96.6, 91.5], 0.66],
  "PaDiM": [[95.4, 97.3, 91.8], 0.19],
};

/** §4.5: pixel AUROC on mini ShanghaiTech Campus. */
export const MSTC: Readonly<Record<string, number>> = {
  "SPADE": 89.9,
  "PaDiM": 91.2,
  "PatchCore-10%": 91.8,
};

/** §4.5: image AUROC on Magnetic Tile Defects. */
export const MTD: Readonly<Record<string, number>> = {
  "DifferNet": 97.7,
  "PatchCore-10%": 97.9,
};

/**
 * Table S5 and Fig. 6, few training images: number of images, then the three
 * rates of each method. Those of 2, 10 and 20 images are known from plots only
 * or not at all.
 */
export const LOW_SHOT: Readonly<
  Record<string, Readonly<Record<number, Triple>>>
> = {
  "PatchCore-25%": {
    1: [84.1, 92.4, 83.7],
    5: [91.0, 94.8, 88.8],
    16: [95.5, 96.8, 91.7],
    50: [97.7, 97.7, 92.8],
  },
  "PaDiM": {
    1: [76.1, 88.2, 72.4],
    5: [81.0, 92.5, 82.7],
    16: [85.5, 94.8, 87.5],
    50: [90.1, 96.3, 90.4],
  },
  "SPADE": {
    1: [71.6, 91.9, 83.5],
    5: [75.2, 94.5, 88.3],
    16: [78.9, 95.7, 90.1],
    50: [81.1, 96.2, 90.8],
  },
};

/** Table S6, backbones: 10 % and 1 %. */
export const TABLE_S6: Readonly<Record<string, readonly [Triple, Triple]>> = {
  resnet50: [[99.0, 98.1, 93.3], [98.7, 97.8, 93.3]],
  wide_resnet50_2: [[98.9, 98.1, 93.5], [99.0, 98.0, 93.1]],
  resnet101: [[98.6, 97.9, 92.5], [98.7, 97.8, 92.2]],
  wide_resnet101_2: [[99.1, 98.2, 93.4], [99.0, 98.1, 93.0]],
  resnext101_32x8d: [[98.9, 98.0, 92.8], [98.7, 97.8, 92.6]],
};

/** Fig. 4 and S5, image AUROC read off the plots: side of a patch. */
export const PATCH_SIZES: Readonly<Record<number, number>> = {
  1: 95.4,
  3: 99.1,
  7: 94.3,
};

/** Fig. 4 and S5, image AUROC read off the plots: layers. */
export const LAYERS: Readonly<Record<string, number>> = {
  "1": 93,
  "2": 99,
  "3": 97.6,
};

/** Fig. 5, image AUROC at 1 %, read off the plot, and of strides (§4.4.2). */
export const SUBSAMPLERS: Readonly<Record<string, number>> = {
  "greedy, 1 %": 99,
  "greedy, 0.1 %": 95.5,
  "random, 1 %": 93,
  "proxies, 1 %": 91,
  "stride 2": 97.6,
  "stride 3": 96.8,
};
