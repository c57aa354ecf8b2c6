import type { Gpu, Tensor } from "../../gpu/mod.ts";
import {
  IMAGENET,
  type Normalisation,
  normalisationTable,
} from "./normalise.ts";
import { checkPixels, type Pixels, wordsOf } from "./pixels.ts";
import {
  type AxisExtent,
  type CropGeometry,
  planExtents,
  planWeights,
  type ResizePlan,
  type ResizeSettings,
} from "./resize_plan.ts";
import { Resizer, resizerSizes } from "./resizer.ts";
import { axisKey, trimmed, type TrimmedPart } from "./trim.ts";

/** An image, and which part of it becomes an input. */
export interface ImagePart {
  /** The image. */
  readonly pixels: Pixels;
  /** How it is resized, and what is cut out. */
  readonly plan: ResizePlan<AxisExtent>;
}

/** How an image becomes a network's input. */
interface PreprocessorOptions extends ResizeSettings {
  /** What levels become, {@linkcode IMAGENET} by default. */
  readonly normalise?: Normalisation;
  /**
   * GPU memory for an image as decoded, 64 MiB by default. A larger image is
   * uploaded and resized in bands.
   */
  readonly maxSourceBytes?: number;
}

/** Images as a network takes them. */
interface EncodedImages {
  /** `[N, H, W, 4]` floats: red, green, blue, 0. */
  readonly tensor: Tensor;
  /** Of each image, where the tensor lies in it. */
  readonly geometries: readonly CropGeometry[];
}

const MAX_SOURCE_BYTES = 64 * 2 ** 20;
const KEPT_SIZES = 16;
const KEPT_PLANS = 256;

/**
 * Resizes, crops and normalises images on the GPU: Pillow's antialiased
 * bilinear resize and torchvision's centre crop, to the byte. Only what the
 * crop shows is uploaded and computed.
 */
export class Preprocessor implements Disposable {
  readonly #gpu: Gpu;
  readonly #settings: ResizeSettings;
  readonly #maxSourceBytes: number;
  readonly #table: Tensor;
  readonly #outputs = new Map<string, Tensor>();
  readonly #resizers = new Map<string, Resizer>();
  readonly #plans = new Map<string, ResizePlan>();
  #source: Tensor | undefined;
  #between: Tensor | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  /**
   * Uploads the normalisation; kernels are compiled with the first images.
   *
   * @param options The network's input geometry and normalisation.
   */
  constructor(gpu: Gpu, options: PreprocessorOptions) {
    this.#gpu = gpu;
    this.#settings = options;
    const most = options.maxSourceBytes ?? MAX_SOURCE_BYTES;
    this.#maxSourceBytes = Math.min(most, gpu.maxTensorBytes);
    const table = normalisationTable(options.normalise ?? IMAGENET);
    this.#table = gpu.upload(table, [256, 4], "normalisation table");
  }

  /**
   * Turns images, also of different sizes, into one batch. Does not wait for
   * the GPU; one submit an image.
   *
   * @param images At least one image.
   * @param target Where to write, `[N, H, W, 4]`. Without it the tensor is the
   * preprocessor's own, one for each shape: the next call with the same shape
   * overwrites it, after everything that was submitted before.
   * @throws {RangeError} If the images do not become one size (without a crop,
   * aspect ratios matter), or `target` has another shape.
   */
  async encode(
    images: readonly Pixels[],
    target?: Tensor,
  ): Promise<EncodedImages> {
    const parts = images.map((pixels) => {
      checkPixels(pixels);
      const { width, height } = pixels;
      return { pixels, plan: planExtents(width, height, this.#settings) };
    });
    return await this.encodeParts(parts, target);
  }

  /** As {@linkcode Preprocessor.encode}, of parts that others have chosen. */
  encodeParts(
    parts: readonly ImagePart[],
    target?: Tensor,
  ): Promise<EncodedImages> {
    const result = this.#busy.then(() => this.#encode(parts, target));
    this.#busy = result.catch(() => {});
    return result;
  }

  async #encode(
    parts: readonly ImagePart[],
    target: Tensor | undefined,
  ): Promise<EncodedImages> {
    const shape = [parts.length, ...commonSize(parts), 4];
    const output = target ?? this.#output(shape);
    if (output.shape.join() !== shape.join()) {
      throw new RangeError(
        `Cannot encode images into a tensor [${output.shape}]: expected [${shape}]`,
      );
    }
    for (const [i, { pixels, plan }] of parts.entries()) {
      const part = trimmed(wordsOf(pixels), this.#weights(plan), this.#gpu);
      const resizer = await this.#resizer(part, output);
      resizer.run(part.words, i);
    }
    const geometries = parts.map(({ plan }) => plan.geometry);
    return { tensor: output, geometries };
  }

  /** A plan with its weights, kept for the next image of its size. */
  #weights(plan: ResizePlan<AxisExtent>): ResizePlan {
    const { columns, rows } = plan;
    const key = `${axisKey(columns)}, ${axisKey(rows)}`;
    const known = this.#plans.get(key) ??
      planWeights(plan, this.#settings.resample);
    this.#plans.delete(key);
    this.#plans.set(key, known);
    if (this.#plans.size > KEPT_PLANS) {
      this.#plans.delete(this.#plans.keys().next().value!);
    }
    return known;
  }

  #output(shape: readonly number[]): Tensor {
    const key = shape.join();
    let output = this.#outputs.get(key);
    if (output === undefined) {
      output = this.#gpu.tensor(shape, "f32", "network input");
      this.#outputs.set(key, output);
    }
    return output;
  }

  /** The resizer for a plan, made anew where its tensors have changed. */
  async #resizer(
    { plan, key }: TrimmedPart,
    output: Tensor,
  ): Promise<Resizer> {
    const sizes = resizerSizes(plan, this.#maxSourceBytes);
    const source = this.#source = this.#grown(this.#source, sizes.sourceWords);
    const between = this.#between = this.#grown(
      this.#between,
      sizes.betweenWords,
    );
    const known = this.#resizers.get(key);
    this.#resizers.delete(key);
    if (
      known?.tensors.source === source && known.tensors.between === between &&
      known.tensors.output === output
    ) {
      this.#resizers.set(key, known);
      return known;
    }
    known?.[Symbol.dispose]();
    const tensors = { source, between, table: this.#table, output };
    const resizer = await Resizer.create(this.#gpu, plan, sizes, tensors);
    this.#resizers.set(key, resizer);
    if (this.#resizers.size > KEPT_SIZES) this.#forgetOldest();
    return resizer;
  }

  #forgetOldest(): void {
    const [key, oldest] = this.#resizers.entries().next().value!;
    this.#resizers.delete(key);
    oldest[Symbol.dispose]();
  }

  /** A tensor of at least so many words; the given one where it suffices. */
  #grown(tensor: Tensor | undefined, words: number): Tensor {
    if (tensor !== undefined && tensor.size >= words) return tensor;
    tensor?.dispose();
    return this.#gpu.tensor([words], "u32", "image to resize");
  }

  /** Frees all memory, the tensors of {@linkcode Preprocessor.encode} too. */
  [Symbol.dispose](): void {
    for (const resizer of this.#resizers.values()) resizer[Symbol.dispose]();
    for (const output of this.#outputs.values()) output.dispose();
    this.#resizers.clear();
    this.#outputs.clear();
    for (const tensor of [this.#table, this.#source, this.#between]) {
      tensor?.dispose();
    }
  }
}

function commonSize(parts: readonly ImagePart[]): [number, number] {
  const [first] = parts;
  if (first === undefined) {
    throw new RangeError("Cannot encode a batch of no images");
  }
  const { rows, columns } = first.plan;
  const other = parts.find(({ plan }) =>
    plan.rows.length !== rows.length || plan.columns.length !== columns.length
  );
  if (other === undefined) return [rows.length, columns.length];
  const [a, b] = [first.pixels, other.pixels];
  throw new RangeError(
    `Cannot encode images of ${a.width} × ${a.height} and ${b.width} × ${b.height} pixels in one batch: they become different sizes; use a crop, a square, or batches of one`,
  );
}
