import { IMAGE_WIDTH } from "../wgsl/kernel.ts";

/** One dispatch ready to be encoded. */
export interface BoundDispatch {
  /** Kernel name and role, as the profiler groups it. */
  readonly label: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its buffers. */
  readonly bindGroup: GPUBindGroup;
  /** Workgroup counts. */
  readonly workgroups: readonly [number, number, number];
  /** What has to be copied before, where a kernel reads a buffer as an image. */
  readonly copies: readonly ImageCopy[];
}

/** A buffer of vectors of four elements that is copied into an image. */
export interface ImageCopy {
  /** Where the vectors are. */
  readonly buffer: GPUBuffer;
  /** Where they go. */
  readonly image: GPUTexture;
  /** How many there are. */
  readonly texels: number;
}

/** Encodes the copy of a buffer of `f32` into an image. */
export function encodeImageCopy(
  encoder: GPUCommandEncoder,
  { buffer, image, texels }: ImageCopy,
): void {
  const bytesPerRow = IMAGE_WIDTH * 16;
  const rows = Math.floor(texels / IMAGE_WIDTH);
  const copy = (y: number, width: number, height: number): void => {
    if (width * height === 0) return;
    encoder.copyBufferToTexture(
      { buffer, offset: y * bytesPerRow, bytesPerRow },
      { texture: image, origin: [0, y] },
      [width, height],
    );
  };
  copy(0, IMAGE_WIDTH, rows);
  copy(rows, texels % IMAGE_WIDTH, 1);
}

/**
 * Encodes dispatches as one compute pass, or as several around the copies that
 * they need.
 *
 * @param timestampWrites Where the times of their begin and end go.
 */
export function encodePass(
  encoder: GPUCommandEncoder,
  dispatches: readonly BoundDispatch[],
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const passes: BoundDispatch[][] = [[]];
  for (const dispatch of dispatches) {
    if (dispatch.copies.length === 0) passes.at(-1)!.push(dispatch);
    else passes.push([dispatch]);
  }
  passes.forEach((group, i) => {
    for (const copy of group[0]?.copies ?? []) encodeImageCopy(encoder, copy);
    const pass = encoder.beginComputePass(
      timesOf(timestampWrites, i === 0, i === passes.length - 1),
    );
    for (const { pipeline, bindGroup, workgroups } of group) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
  });
}

/** The part of a row of passes' times that one of them writes. */
function timesOf(
  timestampWrites: GPUComputePassTimestampWrites | undefined,
  isFirst: boolean,
  isLast: boolean,
): GPUComputePassDescriptor {
  if (timestampWrites === undefined || !(isFirst || isLast)) return {};
  if (isFirst && isLast) return { timestampWrites };
  const { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex } =
    timestampWrites;
  return {
    timestampWrites: isFirst
      ? { querySet, beginningOfPassWriteIndex: beginningOfPassWriteIndex! }
      : { querySet, endOfPassWriteIndex: endOfPassWriteIndex! },
  };
}
