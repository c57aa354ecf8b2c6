import {
  floatData,
  type StoredDtype,
  type StoredTensor,
} from "../../nn/stored_tensor.ts";
import { ModelFileError } from "./stored_model.ts";

/** A two-dimensional tensor of a model file. */
interface StoredMatrix extends StoredTensor {
  /** First size. */
  readonly rows: number;
  /** Second size. */
  readonly columns: number;
  /** Returns the elements as float32. */
  floats(): Float32Array;
}

/**
 * Returns the tensor `name` as a matrix.
 *
 * @throws {ModelFileError} When it is missing, has another dtype or rank.
 */
export function matrix(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtypes: readonly StoredDtype[],
): StoredMatrix {
  const tensor = find(tensors, name, dtypes, 2);
  const [rows, columns] = tensor.shape;
  return { ...tensor, rows, columns, floats: () => floatData(tensor) };
}

/**
 * Returns the tensor `name`, which must have one dimension.
 *
 * @throws {ModelFileError} When it is missing, has another dtype or rank.
 */
export function vector(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtype: StoredDtype,
): StoredTensor {
  return find(tensors, name, [dtype], 1);
}

function find(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtypes: readonly StoredDtype[],
  rank: number,
): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new ModelFileError(
      `the file has no tensor "${name}"; it is not a PatchCore model`,
    );
  }
  if (!dtypes.includes(tensor.dtype) || tensor.shape.length !== rank) {
    throw new ModelFileError(
      `${name} is ${tensor.dtype} [${tensor.shape}], expected ${
        dtypes.join(" or ")
      } with ${rank} dimension${rank === 1 ? "" : "s"}`,
    );
  }
  return tensor;
}

/**
 * Checks that every number is finite.
 *
 * @throws {ModelFileError} Naming the first row that holds NaN or an infinity.
 */
export function checkFinite(
  name: string,
  data: Float32Array,
  columns: number,
): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new ModelFileError(
      `${name} holds ${data[i]} in row ${Math.floor(i / columns)}`,
    );
  }
}
