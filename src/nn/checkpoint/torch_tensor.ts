import {
  dtypeBytes,
  elementCount,
  type StoredDtype,
  type StoredTensor,
  typedData,
} from "../stored_tensor.ts";
import { malformed } from "./checkpoint_error.ts";
import { PickleObject } from "./pickle.ts";

/** A PyTorch storage: a flat run of elements that tensors look into. */
export class TorchStorage extends PickleObject {
  readonly pythonName = "torch.Storage";
  /** Element type. */
  readonly dtype: StoredDtype;
  /** Number of elements, as the pickle claims. */
  readonly length: number;
  /** The elements, little-endian; set once they are found in the file. */
  bytes: Uint8Array | undefined;

  /** Makes a storage whose bytes are yet to be found. */
  constructor(dtype: StoredDtype, length: number) {
    super();
    this.dtype = dtype;
    this.length = length;
  }

  /** Bytes the elements take. */
  get byteLength(): number {
    return this.length * dtypeBytes(this.dtype);
  }
}

/** A PyTorch tensor: a strided view on a storage. */
export class TorchTensor extends PickleObject {
  readonly pythonName = "torch.Tensor";
  readonly #storage: TorchStorage;
  readonly #offset: number;
  readonly #shape: readonly number[];
  readonly #strides: readonly number[];
  readonly #length: number;

  /**
   * Makes a view; all numbers count elements.
   *
   * @throws {CheckpointError} When the view reaches outside the storage, or has
   * more elements than the storage.
   */
  constructor(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    super();
    this.#storage = storage;
    this.#offset = offset;
    this.#shape = shape;
    this.#strides = strides;
    const length = elementCount(shape);
    const whole = [offset, ...strides].every((x) =>
      Number.isSafeInteger(x) && x >= 0
    );
    if (length === undefined || !whole || strides.length !== shape.length) {
      throw malformed(
        `a tensor has shape [${shape}], strides [${strides}], offset ${offset}`,
      );
    }
    const last = length === 0
      ? 0
      : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i], offset);
    if (length > storage.length || (length > 0 && last >= storage.length)) {
      throw malformed(
        `a tensor of shape [${shape}] with strides [${strides}] from ${offset} ` +
          `does not fit a storage of ${storage.length} elements`,
      );
    }
    this.#length = length;
  }

  /** Sizes, outermost first. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /**
   * Returns the elements: a view on the file where they are contiguous and
   * aligned, a copy in row-major order elsewhere.
   *
   * @throws {CheckpointError} When the file does not hold the storage.
   */
  toStored(): StoredTensor {
    const { dtype, bytes } = this.#storage;
    if (!bytes) throw malformed("a tensor's storage is not in the file");
    const size = dtypeBytes(dtype);
    const dense = this.#isContiguous()
      ? bytes.subarray(
        this.#offset * size,
        (this.#offset + this.#length) * size,
      )
      : this.#gather(bytes, size);
    return { dtype, shape: this.#shape, data: typedData(dtype, dense) };
  }

  #isContiguous(): boolean {
    let expected = 1;
    for (let i = this.#shape.length - 1; i >= 0; i--) {
      if (this.#shape[i] !== 1 && this.#strides[i] !== expected) {
        return this.#length === 0;
      }
      expected *= this.#shape[i];
    }
    return true;
  }

  #gather(bytes: Uint8Array, size: number): Uint8Array {
    const dense = new Uint8Array(this.#length * size);
    const index = this.#shape.map(() => 0);
    let from = this.#offset;
    for (let to = 0; to < this.#length; to++) {
      for (let k = 0; k < size; k++) {
        dense[to * size + k] = bytes[from * size + k];
      }
      for (let d = index.length - 1; d >= 0; d--) {
        from += this.#strides[d];
        if (++index[d] < this.#shape[d]) break;
        from -= this.#strides[d] * this.#shape[d];
        index[d] = 0;
      }
    }
    return dense;
  }
}
