/**
 * How a binding is used by a kernel: a buffer that it reads or writes, or an
 * image that it reads. An image holds vectors of four elements, the n-th in the
 * texel `(n % IMAGE_WIDTH, n / IMAGE_WIDTH)`: `rgba32float` for `f32`, `rg32uint`
 * (two words of two halves) for `f16`.
 */
export type Access = "read" | "read_write" | "image_f32" | "image_f16";

/** Texels in a row of an image: the largest has 8192 rows, 128 MiB in `f32`. */
export const IMAGE_WIDTH = 1024;

/** Scalar types a `Params` field may have. */
export type ParamType = "u32" | "i32" | "f32";

/** What one dispatch of a kernel needs for given problem sizes. */
export interface Dispatch {
  /** Values of the `Params` uniform, by field. */
  readonly params: Readonly<Record<string, number>>;
  /** Override constants that differ from the kernel's defaults. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** Workgroup counts, each at most 65,535. */
  readonly workgroups: readonly [number, number, number];
}

/**
 * A GPU kernel as plain data: its text, its interface and a pure function from
 * problem sizes to one dispatch. Nothing here touches a device.
 *
 * @typeParam Sizes The problem's sizes, as the kernel's documentation names them.
 * @typeParam Binding Names of its bindings: a dispatch has a tensor for each.
 */
export interface Kernel<Sizes, Binding extends string = string> {
  /** Name of the kernel, its `.wgsl` file, its test and its bench. */
  readonly name: string;
  /** The WGSL text, entry point `main`. */
  readonly source: string;
  /** Storage and image bindings of group 0; the order is the `@binding` index. */
  readonly bindings: Readonly<Record<Binding, Access>>;
  /** Fields of `struct Params` in order; the uniform is the last binding. */
  readonly params: Readonly<Record<string, ParamType>>;
  /** Override constants and their defaults. */
  readonly overrides: Readonly<Record<string, number>>;
  /** WGSL extensions the text needs; the device must have the features. */
  readonly enables?: readonly ("f16" | "subgroups")[];
  /** Turns problem sizes into one dispatch. */
  plan(sizes: Sizes): Dispatch;
}
