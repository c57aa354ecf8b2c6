import { expand, type Names } from "./expand.ts";
import bankRows from "./shared/bank_rows.wgsl" with { type: "text" };
import insertion from "./shared/insertion.wgsl" with { type: "text" };
import leastGroup from "./shared/least_group.wgsl" with { type: "text" };
import patchTarget from "./shared/patch_target.wgsl" with { type: "text" };
import placeInGrid2d from "./shared/place_in_grid_2d.wgsl" with {
  type: "text",
};
import placeInGrid from "./shared/place_in_grid.wgsl" with { type: "text" };
import storePatch from "./shared/store_patch.wgsl" with { type: "text" };

/** Parts that any kernel may use. */
const SHARED_PARTS: Names = {
  bank_rows: bankRows,
  insertion,
  least_group: leastGroup,
  patch_target: patchTarget,
  place_in_grid: placeInGrid,
  place_in_grid_2d: placeInGrid2d,
  store_patch: storePatch,
};

/**
 * How a binding is used by a kernel: a buffer that it reads or writes, or an
 * image that it reads. An image holds vectors of four elements, the n-th in the
 * texel `(n % IMAGE_WIDTH, n / IMAGE_WIDTH)`: `rgba32float` for `f32`, `rg32uint`
 * (two words of two halves) for `f16`.
 */
export type Access = "read" | "read_write" | "image_f32" | "image_f16";

/** Texels in a row of an image. */
export const IMAGE_WIDTH = 1024;

/** Vectors of four that an image holds on every adapter: 128 MiB in `f32`. */
export const MOST_TEXELS: number = IMAGE_WIDTH * 8192;

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

/** What a kernel is defined by; the rest of it stands in its text. */
export interface KernelDefinition<Sizes>
  extends Pick<Kernel<Sizes>, "name" | "source" | "plan"> {
  /** What names in `source` stand for besides the parts that all kernels share. */
  readonly names?: Names | undefined;
}

/**
 * A kernel from its text, which tells its bindings, parameters, overrides and
 * extensions: an interface is written once, in WGSL. The text is expanded and read
 * when somebody first asks for it.
 *
 * @throws {SyntaxError} When the text is first asked for, if it cannot be
 * expanded.
 */
export function defineKernel<Sizes, Binding extends string>(
  { source, names, ...rest }: KernelDefinition<Sizes>,
): Kernel<Sizes, Binding> {
  let read: Interface | undefined;
  const known = (): Interface =>
    read ??= readInterface(expand(source, { ...SHARED_PARTS, ...names }));
  return {
    ...rest,
    get source() {
      return known().source;
    },
    get bindings() {
      return known().bindings;
    },
    get params() {
      return known().params;
    },
    get overrides() {
      return known().overrides;
    },
    get enables() {
      return known().enables;
    },
  };
}

/** What a kernel's text tells, and the text. */
type Interface = Required<Omit<Kernel<never>, "name" | "plan">>;

/** What images are to the kernel that reads them, by the format of a texel. */
const IMAGES: Readonly<Record<string, Access>> = {
  rgba32float: "image_f32",
  rg32uint: "image_f16",
};

const BINDING =
  /@binding\((\d+)\) var(?:<storage, (\w+)>)? (\w+): (?:texture_storage_2d<(\w+))?/g;
const OVERRIDE = /\boverride (\w+): \w+ = (true|false|[-\d.e]+)[uif]?;/g;

function readInterface(source: string): Interface {
  const text = source.replace(/\/\/.*$/gm, "");
  const bindings = [...text.matchAll(BINDING)]
    .sort(([, one], [, other]) => Number(one) - Number(other))
    .map(([, , access, name, texel]) => [name!, access ?? IMAGES[texel!]]);
  const [, fields = ""] = /\bstruct Params \{([^}]*)\}/.exec(text) ?? [];
  const params = Array.from(
    fields.matchAll(/(\w+): (\w+)/g),
    ([, name, type]) => [name!, type as ParamType] as const,
  );
  const overrides = Array.from(
    text.matchAll(OVERRIDE),
    ([, name, value]) => [name!, Number(JSON.parse(value!))] as const,
  );
  return {
    source,
    bindings: Object.fromEntries(bindings),
    params: Object.fromEntries(params),
    overrides: Object.fromEntries(overrides),
    enables: /\bsubgroup[A-Z]\w*\(/.test(text) ? ["subgroups"] : [],
  };
}
