/** Pickles and archives put together by hand, for hostile tests. */

import { zipSync } from "fflate";

/** Joins byte lists, and texts as their UTF-8 bytes. */
export function join(
  ...parts: (string | readonly number[] | Uint8Array)[]
): Uint8Array {
  const lists = parts.map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : part
  );
  return new Uint8Array(lists.flatMap((list) => [...list]));
}

/** A protocol 2 pickle with this body. */
export function pickle(...body: (string | readonly number[])[]): Uint8Array {
  return join([0x80, 2], ...body, ".");
}

/** BINUNICODE. */
export function text(value: string): readonly number[] {
  const bytes = new TextEncoder().encode(value);
  return [0x58, ...u32(bytes.length), ...bytes];
}

/** BININT. */
export function int(value: number): readonly number[] {
  return [0x4a, ...u32(value)];
}

/** TUPLE. */
export function tuple(
  ...items: (string | readonly number[])[]
): readonly number[] {
  return [...join("(", ...items, "t")];
}

/** GLOBAL. */
export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

/** The persistent id of storage "0" with `length` elements. */
export function storage(
  length: number,
  type = "FloatStorage",
): readonly number[] {
  const id = tuple(
    text("storage"),
    global("torch", type),
    text("0"),
    text("cpu"),
    int(length),
  );
  return [...id, 0x51];
}

/** A tensor rebuilt from storage "0". */
export function tensor(
  length: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): readonly number[] {
  const args = tuple(
    storage(length),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    "N",
  );
  return [
    ...join(global("torch._utils", "_rebuild_tensor_v2"), args, "R"),
  ];
}

/** A state dict with one tensor called `w`. */
export function stateDict(value: readonly number[]): Uint8Array {
  return pickle("}", text("w"), value, "s");
}

/** An archive as torch.save lays it out, entries stored. */
export function archive(
  data: Uint8Array,
  entries: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  return zipSync({ "a/data.pkl": data, ...entries }, { level: 0 });
}

/** BINPUT and BINGET. */
export const put = (index: number): readonly number[] => [0x71, index];
export const get = (index: number): readonly number[] => [0x68, index];

/** A list of two that is in a list twice, and so on: 2^depth elements when written out. */
export function doubled(depth: number): readonly number[] {
  const level = (i: number): readonly number[] => [
    ...join("]", "(", get(i), get(i), "e", put(i + 1)),
  ];
  const levels = Array.from({ length: depth }, (_, i) => level(i));
  return [...join("]", put(0), ...levels, get(depth))];
}

function u32(value: number): readonly number[] {
  return [...new Uint8Array(new Int32Array([value]).buffer)];
}
