type Pairs = Map<object, object>;

/**
 * Structural equality: same value (0 equals −0, NaN equals NaN), or the same
 * kind of object with equal content. Cycles are followed once.
 */
export function equal(actual: unknown, expected: unknown): boolean {
  return compare(actual, expected, new Map());
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

function sameValueZero(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function sameKind(a: object, b: object): boolean {
  const plain = (value: object) =>
    value.constructor === undefined || value.constructor === Object;
  return a.constructor === b.constructor || plain(a) && plain(b);
}

function compare(a: unknown, b: unknown, seen: Pairs): boolean {
  if (sameValueZero(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (typeof a === "function" || typeof b === "function") return false;
  if (!sameKind(a, b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (a instanceof RegExp && b instanceof RegExp) {
    return String(a) === String(b);
  }
  if (a instanceof URL && b instanceof URL) return a.href === b.href;
  if (a instanceof WeakMap || a instanceof WeakSet || a instanceof Promise) {
    return false;
  }
  if (a instanceof WeakRef && b instanceof WeakRef) {
    return compare(a.deref(), b.deref(), seen);
  }
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    return compareViews(a, b);
  }
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    return compareViews(new Uint8Array(a), new Uint8Array(b));
  }
  if (a instanceof Set && b instanceof Set) return compareSets(a, b, seen);
  if (a instanceof Map && b instanceof Map) return compareMaps(a, b, seen);
  if (a instanceof Error && b instanceof Error) {
    if (a.name !== b.name || a.message !== b.message) return false;
    if (!compare(a.cause, b.cause, seen)) return false;
  }
  return compareProperties(a, b, seen);
}

function compareViews(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const left = elements(a);
  const right = elements(b);
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) {
    if (!sameValueZero(left[i], right[i])) return false;
  }
  return true;
}

function elements(view: ArrayBufferView): ArrayLike<number | bigint> {
  if (!(view instanceof DataView)) {
    return view as unknown as ArrayLike<number | bigint>;
  }
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function compareSets(
  a: Set<unknown>,
  b: Set<unknown>,
  seen: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const rest = [...b].filter((value) => !a.has(value));
  for (const value of a) {
    if (b.has(value)) continue;
    const index = rest.findIndex((other) =>
      compare(value, other, new Map(seen))
    );
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return true;
}

function compareMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  seen: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const rest = [...b].filter(([key]) => !a.has(key));
  for (const [key, value] of a) {
    if (b.has(key)) {
      if (!compare(value, b.get(key), seen)) return false;
      continue;
    }
    const index = rest.findIndex(([otherKey, otherValue]) =>
      compare(key, otherKey, new Map(seen)) &&
      compare(value, otherValue, new Map(seen))
    );
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return true;
}

function ownKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

function compareProperties(a: object, b: object, seen: Pairs): boolean {
  const keys = ownKeys(a);
  if (keys.length !== ownKeys(b).length) return false;
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false;
  const left = a as Record<PropertyKey, unknown>;
  const right = b as Record<PropertyKey, unknown>;
  return keys.every((key) =>
    Object.hasOwn(right, key) && compare(left[key], right[key], seen)
  );
}
