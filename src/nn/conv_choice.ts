/**
 * Which kernels do a convolution: what can, what does where nothing was
 * measured, and how a choice is written down.
 *
 * @module
 */
import {
  conv2dDirect,
  type Conv2dFamily,
  conv2dShared,
  conv2dSharedLarge,
  type Conv2dSizes,
  conv2dSubgroup8,
  conv2dSubgroup8Tall,
  type WeightPrecision,
} from "../wgsl/conv2d.ts";
import { winogradTiles } from "../wgsl/winograd.ts";
import type { ConvTile } from "./conv_tile.ts";

/** A kernel for convolutions and matrix products. */
export type ConvKernelName =
  | "direct"
  | "shared"
  | "shared_large"
  | "subgroup8"
  | "subgroup8_tall";

const FAMILIES: Readonly<Record<ConvKernelName, Conv2dFamily>> = {
  direct: conv2dDirect,
  shared: conv2dShared,
  shared_large: conv2dSharedLarge,
  subgroup8: conv2dSubgroup8,
  subgroup8_tall: conv2dSubgroup8Tall,
};

/** How one convolution is done. */
export interface ConvChoice {
  /** The kernel of the convolution, or of Winograd's products. */
  readonly kernel: ConvKernelName;
  /** Whether Winograd F(4×4, 3×3) is used. */
  readonly winograd: boolean;
  /** Partial sums over the inputs. */
  readonly splits: number;
}

/** What convolutions are planned for. */
export interface ConvTarget {
  /** How the work is divided where nothing was measured. */
  readonly tile: ConvTile;
  /** How weights are stored. */
  readonly precision: WeightPrecision;
  /** What was measured to be best, by the problem's key. */
  readonly choices?: ReadonlyMap<string, ConvChoice>;
}

/** A convolution without groups, as far as its speed goes. */
export interface ConvProblem extends
  Pick<
    Conv2dSizes,
    "images" | "input" | "output" | "inputChannels4" | "outputChannels4"
  > {
  /** Kernel size. */
  readonly kernel: readonly [number, number];
  /** Strides. */
  readonly strides: readonly [number, number];
  /** Dilations. */
  readonly dilations: readonly [number, number];
}

/** The kernel family of a choice. */
export function familyOf({ kernel }: Pick<ConvChoice, "kernel">): Conv2dFamily {
  return FAMILIES[kernel];
}

/**
 * What distinguishes problems for which another choice may be the best. Batches
 * of any size but one image count as the same.
 */
export function problemKey(
  problem: ConvProblem,
  { precision }: Pick<ConvTarget, "precision">,
): string {
  const { images, input, output, kernel, strides, dilations } = problem;
  const channels = [problem.inputChannels4 * 4, problem.outputChannels4 * 4];
  const many = images === 1 ? "one" : "many";
  return [
    `${precision} ${many} ${input.join("x")} to ${output.join("x")}`,
    `channels ${channels.join(" to ")} kernel ${kernel.join("x")}`,
    `strides ${strides.join("x")} dilations ${dilations.join("x")}`,
  ].join(" ");
}

/** A choice in words, as it is stored: `winograd shared`, `shared 4`. */
export function formatChoice({ kernel, winograd, splits }: ConvChoice): string {
  return `${winograd ? "winograd " : ""}${kernel}${
    splits > 1 ? ` ${splits}` : ""
  }`;
}

/** The choice that {@linkcode formatChoice} wrote; `undefined` if it is none. */
export function parseChoice(text: string): ConvChoice | undefined {
  const [, winograd, kernel = "", splits] =
    /^(winograd )?([a-z0-9_]+)(?: ([248]))?$/.exec(text) ?? [];
  if (!Object.hasOwn(FAMILIES, kernel)) return undefined;
  return {
    kernel: kernel as ConvKernelName,
    winograd: winograd !== undefined,
    splits: Number(splits ?? 1),
  };
}

/** How a convolution is done: as measured, else as the tile's default. */
export function chooseConv(
  target: ConvTarget & { readonly tile: Exclude<ConvTile, "plain"> },
  problem: ConvProblem,
): ConvChoice {
  const measured = target.choices?.get(problemKey(problem, target));
  const [fallback, ...others] = convCandidates(target.tile, problem);
  if (measured === undefined) return fallback;
  const text = formatChoice(measured);
  return others.find((choice) => formatChoice(choice) === text) ?? fallback;
}

/**
 * All choices worth a measurement; the default comes first. They differ in how
 * the work is divided, not in what is added to what: a result has the same bits
 * whatever was measured, and in batches of any size.
 */
export function convCandidates(
  tile: Exclude<ConvTile, "plain">,
  problem: ConvProblem,
): [ConvChoice, ...ConvChoice[]] {
  const { output, inputChannels4, outputChannels4 } = problem;
  const [tilesY, tilesX] = winogradTiles(output);
  const channels = Math.min(inputChannels4, outputChannels4) * 4;
  const repays = tile !== "subgroup8" || channels >= CPU_WINOGRAD_CHANNELS;
  if (repays && suitsWinograd(problem, MOST_IMAGES * tilesY * tilesX)) {
    return kernelsFor(tile, 1)
      .map((choice) => ({ ...choice, winograd: true })) as [ConvChoice];
  }
  return kernelsFor(tile, tile === "shared" ? splitsOf(problem) : 1);
}

/** Images up to which a batch's transformed tiles have to fit in one binding. */
const MOST_IMAGES = 8;

/** Channels from which on Winograd's transforms repay on llvmpipe, measured. */
const CPU_WINOGRAD_CHANNELS = 128;
/** Workgroups that keep a GPU busy. */
const ENOUGH_WORKGROUPS = 256;
/** Steps of 4 inputs that are worth a partial sum of their own. */
const STEPS_A_SPLIT = 64;

function kernelsFor(
  tile: Exclude<ConvTile, "plain">,
  splits: number,
): [ConvChoice, ...ConvChoice[]] {
  const by = (kernel: ConvKernelName): ConvChoice => ({
    kernel,
    winograd: false,
    splits,
  });
  if (tile === "direct") return [by("direct"), by("shared")];
  if (tile === "subgroup8") return [by("subgroup8"), by("subgroup8_tall")];
  if (splits > 1) return [by("shared")];
  return [by("shared"), by("shared_large"), by("direct")];
}

/** Partial sums that keep a GPU busy with one image, as far as they repay. */
function splitsOf(
  { output, inputChannels4, outputChannels4, kernel }: ConvProblem,
): number {
  const rows = output[0] * output[1];
  const workgroups = Math.ceil(rows / 64) * Math.ceil(outputChannels4 / 16);
  const steps = kernel[0] * kernel[1] * inputChannels4;
  return [8, 4, 2].find((splits) =>
    splits * STEPS_A_SPLIT <= steps &&
    workgroups * splits <= ENOUGH_WORKGROUPS
  ) ?? 1;
}

/** Channels from which on the transforms cost less than they save. */
const WINOGRAD_CHANNELS = 16;
/** Bytes that every WebGPU device binds at once. */
const MAX_BINDING_BYTES = 2 ** 27;

function suitsWinograd(
  { kernel, strides, dilations, inputChannels4, outputChannels4 }: ConvProblem,
  tiles: number,
): boolean {
  const [narrow, wide] = [inputChannels4 * 4, outputChannels4 * 4]
    .sort((a, b) => a - b) as [number, number];
  return kernel.join() === "3,3" && strides.join() === "1,1" &&
    dilations.join() === "1,1" && narrow >= WINOGRAD_CHANNELS &&
    36 * 4 * wide * Math.max(tiles, narrow) <= MAX_BINDING_BYTES;
}
