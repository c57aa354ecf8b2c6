/**
 * One thing in several forms, by the adapter it is for: a kernel, or a number of
 * lanes. `portable` runs everywhere; the others are for adapters whose subgroups
 * all have exactly so many lanes. Whoever has a `Gpu` takes the one that suits
 * it by `gpu.pick`, so a form more touches nobody else.
 *
 * @typeParam Form What there are several of.
 */
export type Variants<Form> =
  & Readonly<Record<"portable", Form>>
  & Readonly<
    Partial<
      Record<"subgroup8" | "subgroup16" | "subgroup32" | "subgroup64", Form>
    >
  >;

/**
 * The form for subgroups of a size, the portable one where there is none.
 *
 * @param variants What to pick from.
 * @param subgroupSize Lanes of every subgroup; 0 where they vary or are missing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { variantFor } from "@patchcore/webgpu/wgsl";
 *
 * const lanes = { portable: 64, subgroup8: 8 };
 * assertEquals(variantFor(lanes, 8), 8);
 * assertEquals(variantFor(lanes, 32), 64);
 * ```
 */
export function variantFor<Form>(
  variants: Variants<Form>,
  subgroupSize: number,
): Form {
  const name = `subgroup${subgroupSize}` as keyof Variants<Form>;
  return variants[name] ?? variants.portable;
}

/**
 * Lanes of a workgroup, for kernels that leave them open: a subgroup on
 * llvmpipe, where a barrier costs and waiting for memory does not.
 */
export const WORKGROUP_LANES: Variants<number> = { portable: 64, subgroup8: 8 };
