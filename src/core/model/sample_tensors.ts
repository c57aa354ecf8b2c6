import type { StoredTensor } from "../../nn/stored_tensor.ts";
import { incomparableRow } from "../features/row_length.ts";
import { ModelFileError, type StoredSample } from "./stored_model.ts";

/**
 * The tensors of a sample in a model file.
 *
 * @param sample What the part carries.
 * @param dim Features of a patch.
 */
export function sampleTensors(
  { images, grid, patches, features, scores }: StoredSample,
  dim: number,
): [string, StoredTensor][] {
  const count = images.length;
  const each = count === 0 ? 0 : patches.length / count;
  return [
    ["sample_images", { dtype: "I32", shape: [count], data: images }],
    ["sample_patches", {
      dtype: "I32",
      shape: [count, each],
      data: patches,
    }],
    ["sample_features", {
      dtype: "F32",
      shape: [count, each, dim],
      data: features,
    }],
    ["sample_scores", { dtype: "F32", shape: [count, ...grid], data: scores }],
  ];
}

/**
 * Reads what {@linkcode sampleTensors} made.
 *
 * @param tensors The tensors of a model file.
 * @param dim Features of a patch.
 * @param imageCount Training images that the file names.
 * @returns Nothing where there is no sample.
 * @throws {ModelFileError} When it contradicts itself.
 */
export function readSample(
  tensors: ReadonlyMap<string, StoredTensor>,
  dim: number,
  imageCount: number,
): StoredSample | undefined {
  if (!tensors.has("sample_images")) return undefined;
  const take = (name: string, dtype: "I32" | "F32"): StoredTensor => {
    const tensor = tensors.get(`sample_${name}`);
    if (tensor?.dtype === dtype) return tensor;
    throw new ModelFileError(
      `sample_${name} is ${tensor?.dtype ?? "missing"}, expected ${dtype}`,
    );
  };
  const images = take("images", "I32");
  const patches = take("patches", "I32");
  const features = take("features", "F32");
  const scores = take("scores", "F32");
  const [count = -1] = images.shape;
  const [, each = -1] = patches.shape;
  const [, height = -1, width = -1] = scores.shape;
  const expected = [
    [images, [count]],
    [patches, [count, each]],
    [features, [count, each, dim]],
    [scores, [count, height, width]],
  ] as const;
  const fit = expected.every(([{ shape }, sizes]) =>
    shape.join() === sizes.join()
  );
  const sample: StoredSample = {
    images: images.data as Int32Array,
    grid: [height, width],
    patches: patches.data as Int32Array,
    features: features.data as Float32Array,
    scores: scores.data as Float32Array,
  };
  const isSound = fit && ascends(sample.images, count, imageCount) &&
    ascends(sample.patches, each, height * width) &&
    incomparableRow(sample.features, dim) === undefined &&
    sample.scores.every((score) => !Number.isNaN(score));
  if (isSound) return sample;
  throw new ModelFileError(
    "the sample of images that the part carries contradicts itself; fit that part again",
  );
}

/** Whether every `length` of the numbers ascend, from 0 to below `end`. */
function ascends(numbers: Int32Array, length: number, end: number): boolean {
  return numbers.every((number, i) =>
    number >= 0 && number < end &&
    (i % length === 0 || number > numbers[i - 1]!)
  );
}
