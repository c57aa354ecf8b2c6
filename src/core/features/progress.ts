import { GpuLostError } from "../../gpu/errors.ts";

/** A part of the work that is worth a progress bar. */
export type Stage =
  | "features"
  | "coreset"
  | "bank rows"
  | "threshold"
  | "map threshold"
  | "predict";

/**
 * Called as work goes on; `total` is fixed within a stage, and Infinity where
 * the number of images is not known.
 */
export type OnProgress = (stage: Stage, done: number, total: number) => void;

/** Called with an image that could not be used; the others go on. */
export type OnImageError = (name: string, error: Error) => void;

/** Options that long work has in common. */
export interface WorkOptions {
  /** Called as work goes on. */
  readonly onProgress?: OnProgress;
  /** Called with an image that could not be used; without it, it is thrown. */
  readonly onImageError?: OnImageError;
  /** Stops the work between two batches, or wherever progress is told of. */
  readonly signal?: AbortSignal;
  /** The most pixels an image's file may have; 100 million by default. */
  readonly maxPixels?: number;
}

/**
 * What is wrong with all images together, so that none can be left out for it.
 */
export class ImagesDisagreeError extends RangeError {
  /** Tells this class of errors from others. */
  override readonly name = "ImagesDisagreeError";
}

/**
 * Hands an image's error to the caller, or throws it; the loss of the device and
 * images that disagree are always thrown, since no image is to blame for it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { reportImageError } from "@patchcore/webgpu/core";
 *
 * const failed: string[] = [];
 * reportImageError("a.png", new Error("Cannot decode"), {
 *   onImageError: (name) => failed.push(name),
 * });
 * assertEquals(failed, ["a.png"]);
 * ```
 */
export function reportImageError(
  name: string,
  cause: unknown,
  { onImageError }: WorkOptions,
): void {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const isNoOnes = error instanceof GpuLostError ||
    error instanceof ImagesDisagreeError;
  if (onImageError === undefined || isNoOnes) throw error;
  onImageError(name, error);
}

/** Progress within one stage, as work without stages tells it. */
export function stageProgress(
  stage: Stage,
  { onProgress }: { readonly onProgress?: OnProgress | undefined },
): { onProgress?: (done: number, total: number) => void } {
  return onProgress === undefined
    ? {}
    : { onProgress: (done, total) => onProgress(stage, done, total) };
}

/** The options with a progress at which aborted work stops. */
export function stoppable<O extends WorkOptions>(options: O): O {
  const { signal, onProgress } = options;
  return {
    ...options,
    onProgress: (stage: Stage, done: number, total: number): void => {
      signal?.throwIfAborted();
      onProgress?.(stage, done, total);
    },
  };
}
