/** What the service accepts; all of it is known before work starts. */
export interface ServiceLimits {
  /** Images that it holds at one time, waiting or being worked on. */
  readonly queue: number;
  /** Images that the GPU works on at once, at most. */
  readonly batch: number;
  /** Images that are decoded at one time. */
  readonly decoders: number;
  /** Bytes of a request's body. */
  readonly maxBytes: number;
  /** Bodies on their way at one time. */
  readonly bodies: number;
  /** Bytes of all bodies at one time, on their way or held. */
  readonly bodyBytes: number;
  /** Seconds of silence after which a body is given up. */
  readonly idle: number;
  /** Bytes a second that a body has to come with, after as many seconds. */
  readonly pace: number;
  /** Pixels of an image, as its header tells. */
  readonly maxPixels: number;
  /** Seconds from a request's first byte to its answer. */
  readonly timeout: number;
}

/** Decoded images that exist at one time: two batches, and those in the making. */
export function decodedImages({ batch, decoders }: ServiceLimits): number {
  return 2 * batch + decoders;
}

/**
 * The most bytes that requests take on the host: every body twice (as it came,
 * and its parts), every decoded image as RGBA, twice in a decoder.
 */
export function requestBytes(limits: ServiceLimits): number {
  const { bodyBytes, maxPixels, decoders } = limits;
  const images = decodedImages(limits) + decoders;
  return 2 * bodyBytes + images * maxPixels * 4;
}
