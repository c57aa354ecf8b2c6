import type { StoredDtype } from "../stored_tensor.ts";
import { malformed, refused } from "./checkpoint_error.ts";
import {
  describe,
  PickleGlobal,
  PickleTuple,
  type PickleValue,
} from "./pickle.ts";
import { TorchStorage, TorchTensor } from "./torch_tensor.ts";

const STORAGE_DTYPES: readonly (readonly [string, StoredDtype])[] = [
  ["BoolStorage", "BOOL"],
  ["ByteStorage", "U8"],
  ["CharStorage", "I8"],
  ["ShortStorage", "I16"],
  ["HalfStorage", "F16"],
  ["BFloat16Storage", "BF16"],
  ["IntStorage", "I32"],
  ["FloatStorage", "F32"],
  ["LongStorage", "I64"],
  ["DoubleStorage", "F64"],
];

/** The globals a state dict needs, and all that are allowed. */
export const TORCH_GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    new PickleGlobal("collections.OrderedDict", orderedDict),
    new PickleGlobal("torch.Size", (args) => {
      const [sizes] = args;
      return sizes instanceof PickleTuple ? sizes : new PickleTuple(args);
    }),
    new PickleGlobal("torch._utils._rebuild_tensor", rebuildTensor),
    new PickleGlobal("torch._utils._rebuild_tensor_v2", rebuildTensor),
    new PickleGlobal("torch._utils._rebuild_parameter", ([tensor]) => {
      if (tensor instanceof TorchTensor) return tensor;
      throw malformed("a parameter is no tensor");
    }),
    ...STORAGE_DTYPES.map(([name]) => new PickleGlobal(`torch.${name}`)),
  ].map((global) => [global.pythonName, global]),
);

/** PyTorch's own limit. */
const MAX_DIMENSIONS = 64;

/** What a persistent id says of a storage. */
interface StorageId {
  /** Element type. */
  readonly dtype: StoredDtype;
  /** Name of the storage in the file. */
  readonly key: string;
  /** Number of elements. */
  readonly length: number;
}

/**
 * Reads the persistent id `("storage", type, key, location, length)`.
 *
 * @throws {CheckpointError} When it is anything else.
 */
function parseStorageId(id: PickleValue): StorageId {
  if (!(id instanceof PickleTuple) || id.items[0] !== "storage") {
    const [first] = id instanceof PickleTuple ? id.items : [id];
    const kind = typeof first === "string" ? first : describe(first);
    throw refused(`persistent id ${kind}`);
  }
  const [, type, key, , length, view] = id.items;
  const name = type instanceof PickleGlobal ? type.pythonName : "";
  const found = STORAGE_DTYPES.find(([storage]) => `torch.${storage}` === name);
  if (
    !found || typeof key !== "string" || !isSize(length) ||
    (view !== undefined && view !== null)
  ) {
    throw malformed("the description of a storage makes no sense");
  }
  return { dtype: found[1], key, length };
}

/** Keeps the storages of one file, each made once. */
export class StorageTable {
  readonly #storages = new Map<string, TorchStorage>();

  /** Returns the storage a persistent id names, new or known. */
  readonly load = (id: PickleValue): TorchStorage => {
    const { dtype, key, length } = parseStorageId(id);
    const known = this.#storages.get(key);
    if (known) {
      if (known.dtype === dtype && known.length === length) return known;
      throw malformed(`storage ${describe(key)} is described in two ways`);
    }
    const storage = new TorchStorage(dtype, length);
    this.#storages.set(key, storage);
    return storage;
  };

  /** Returns the storage called `key`, if the pickle spoke of it. */
  get(key: string): TorchStorage | undefined {
    return this.#storages.get(key);
  }

  /** Returns the storages by name. */
  entries(): Iterable<[string, TorchStorage]> {
    return this.#storages.entries();
  }
}

function orderedDict(args: readonly PickleValue[]): PickleValue {
  const dict = new Map<PickleValue, PickleValue>();
  const pairs = args.length === 0 ? [] : args[0];
  if (!Array.isArray(pairs)) {
    throw malformed("an OrderedDict is made of no list");
  }
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2) {
      throw malformed("an OrderedDict has an entry that is no pair");
    }
    dict.set(items[0], items[1]);
  }
  return dict;
}

function rebuildTensor(args: readonly PickleValue[]): TorchTensor {
  const [storage, offset, size, stride] = args;
  if (!(storage instanceof TorchStorage)) {
    throw malformed("a tensor has no storage");
  }
  return new TorchTensor(
    storage,
    isSize(offset) ? offset : NaN,
    sizes(size),
    sizes(stride),
  );
}

function sizes(value: PickleValue | undefined): number[] {
  const items = value instanceof PickleTuple ? value.items : undefined;
  const fits = items !== undefined && items.length <= MAX_DIMENSIONS &&
    items.every(isSize);
  if (!fits) throw malformed("a tensor's shape makes no sense");
  return items as number[];
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
