import {
  type Gpu,
  GpuError,
  type Program,
  type RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
import type { Session } from "../../nn/session.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import { unitRows } from "../../wgsl/unit_rows.ts";
import { Foreground } from "./foreground.ts";
import { patchGrid, type TapShape } from "./feature_layer.ts";
import { PatchFeatures } from "./patch_features.ts";
import { batchTooLarge, isTooLarge } from "./batch_too_large.ts";
import type { Pixels } from "../images/pixels.ts";
import { type ImagePart, Preprocessor } from "../images/preprocess.ts";
import type { CropGeometry } from "../images/resize_plan.ts";
import { inputSize } from "../images/tiles.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { type RegionGrid, regionGrid } from "./region_grid.ts";

/** What a program of patch features may leave beside them. */
interface AlsoOfPatches {
  /** Squared lengths of the rows, before they are made 1. */
  readonly norms?: Tensor | undefined;
  /** 1 for patches of the part, 0 for those of the ground (u32). */
  readonly mask?: Tensor | undefined;
}

/**
 * From images to patch features: resize and crop, backbone, patches. It is made
 * for one input size; the backbone is laid out anew for each size of batch.
 */
export class FeatureExtractor implements Disposable {
  /** Input of the backbone, `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Turns taps into patch features. */
  readonly features: PatchFeatures;
  /** What of the input is inspected; `undefined`: all of it. */
  readonly region: RegionGrid | undefined;
  readonly #gpu: Gpu;
  readonly #backbone: Backbone;
  readonly #settings: Settings;
  readonly #preprocessor: Preprocessor;
  readonly #foreground: Foreground | undefined;
  readonly #sessions = new Map<number, Session>();

  /**
   * @param backbone The network, tapped at the settings' layers.
   * @param settings Input geometry and patches.
   * @param input Input of the backbone, `[height, width]`; see `inputSize`.
   * @throws {RangeError} If the settings' region is of images that become
   * another input, or the crop cuts it off.
   */
  constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    input: readonly [number, number],
    maxImages: number,
  ) {
    this.#gpu = gpu;
    this.#backbone = backbone;
    this.#settings = settings;
    this.input = input;
    const normalise = backbone.normalisation(settings.normalise);
    const taps = tapShapes(backbone, input);
    const grid = patchGrid(taps[0]!, settings.stride);
    this.region = regionGrid(settings, input, grid);
    using owned = new DisposableStack();
    try {
      this.features = owned.use(
        new PatchFeatures(
          gpu,
          taps,
          settings,
          maxImages,
          this.region?.places,
        ),
      );
    } catch (error) {
      throw batchTooLarge(error, maxImages, input);
    }
    const { foreground } = settings;
    this.#foreground = foreground.mask === "off"
      ? undefined
      : owned.use(new Foreground(gpu, this.features, foreground));
    this.#preprocessor = new Preprocessor(gpu, { ...settings, normalise });
    owned.move();
  }

  /**
   * An extractor for as many images at a time as the adapter binds: where so
   * many are too many, for half of them, and so on.
   *
   * @throws {GpuError} If not even one can be had.
   */
  static forMost(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    input: readonly [number, number],
    maxImages: number,
  ): FeatureExtractor {
    for (let images = maxImages;; images = Math.ceil(images / 2)) {
      try {
        checkActivations(backbone, images, input);
        return new FeatureExtractor(gpu, backbone, settings, input, images);
      } catch (error) {
        if (images === 1 || !isTooLarge(error)) throw error;
      }
    }
  }

  /** The same for images that get the input size of this one. */
  static forImage(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    image: Pick<Pixels, "width" | "height">,
    maxImages: number,
  ): FeatureExtractor {
    const input = inputSize(image, settings);
    return FeatureExtractor.forMost(gpu, backbone, settings, input, maxImages);
  }

  /** Images of a batch, at most. */
  get maxImages(): number {
    return this.features.maxImages;
  }

  /**
   * Checks that an image can go in.
   *
   * @throws {RangeError} If it would give another input size, or has another
   * shape than the region was drawn for.
   */
  check(image: Pixels): void {
    const region = this.region?.region;
    if (region?.fits(image) === false) {
      const { width, height } = region.setting;
      throw new RangeError(
        `Cannot use an image of ${image.width} × ${image.height} pixels: the region to inspect was drawn for ${width} × ${height}, and images of that shape alone have it at the same place`,
      );
    }
    const { tiles } = this.#settings;
    const size = inputSize(image, this.#settings);
    if (size.join() === this.input.join()) return;
    const [becomes, advice] = tiles === undefined
      ? ["becomes", "fit with a crop, or resize to a square"]
      : ["has tiles of", "fit with smaller tiles"];
    throw new RangeError(
      `Cannot use an image of ${image.width} × ${image.height} pixels: it ${becomes} ${
        size[1]
      } × ${size[0]} and the others ${this.input[1]} × ${
        this.input[0]
      }; ${advice}`,
    );
  }

  /**
   * The backbone laid out for a batch.
   *
   * @throws {GpuError} If that is more than the adapter binds.
   */
  async session(images: number): Promise<Session> {
    let session = this.#sessions.get(images);
    if (session === undefined) {
      const shape = [images, 3, ...this.input];
      try {
        session = await this.#backbone.network.session(shape);
      } catch (error) {
        throw batchTooLarge(error, images, this.input);
      }
      this.#sessions.set(images, session);
    }
    return session;
  }

  /**
   * Measures which kernels are the best for batches of a size, where that is not
   * known and a store for it was given.
   *
   * @returns Whether {@linkcode FeatureExtractor.release} would bring others.
   */
  async tune(images: number): Promise<boolean> {
    return await this.#backbone.network.tune([images, 3, ...this.input]);
  }

  /** GPU bytes of the backbone's activations for a batch, weights left out. */
  activationBytes(images: number): number {
    const [height, width] = this.input;
    const { memory } = this.#backbone.network.plan([images, 3, ...this.input]);
    const buffers = memory.buffers.reduce((sum, bytes) => sum + bytes, 0);
    return buffers + images * height * width * 16;
  }

  /**
   * Uploads, resizes, crops and normalises a batch into a session's input, what
   * is not inspected blank.
   */
  async encode(
    session: Session,
    parts: readonly ImagePart[],
  ): Promise<readonly CropGeometry[]> {
    const region = this.region?.region;
    const { geometries } = await this.#preprocessor.encodeParts(
      region
        ? parts.map((part) => ({ ...part, pixels: region.blank(part.pixels) }))
        : parts,
      session.input,
    );
    return geometries;
  }

  /** Whether it can tell which patches are of the part. */
  get seesForeground(): boolean {
    return this.#foreground !== undefined;
  }

  /**
   * A program that turns a session's taps into rows from `firstRow` on; for
   * cosine distances they have the length 1.
   *
   * @param also Where more goes that is wanted of them.
   */
  async patchProgram(
    session: Session,
    rows: RowChunks,
    firstRow: number,
    { norms, mask }: AlsoOfPatches = {},
  ): Promise<Program> {
    const program = this.#gpu.program("patch features");
    const taps = this.#backbone.network.outputs.map((name) =>
      session.taps.get(name)!
    );
    const images = taps[0]!.shape[0]!;
    const count = images * this.features.patches;
    if (mask !== undefined) {
      this.#foreground?.record(program, taps, mask, images);
    }
    this.features.record(program, taps, rows, { firstRow });
    const spans = spansOf(rows, firstRow, count);
    if (norms !== undefined) recordNorms(program, spans, rows.dim, norms);
    if (this.#settings.distance === "cosine") {
      recordUnits(program, spans, rows.dim);
    }
    return await program.compile();
  }

  /**
   * Frees the activations, which are allocated anew when they are needed.
   *
   * @param batch Only those for batches of this size.
   */
  release(batch?: number): void {
    for (const [images, session] of this.#sessions) {
      if (batch !== undefined && images !== batch) continue;
      session.dispose();
      this.#sessions.delete(images);
    }
  }

  /** Frees everything but the backbone. */
  [Symbol.dispose](): void {
    this.release();
    this.#foreground?.[Symbol.dispose]();
    this.features[Symbol.dispose]();
    this.#preprocessor[Symbol.dispose]();
  }
}

/**
 * Checks that the backbone's activations can be bound.
 *
 * @throws {GpuError} If one of them is more than the adapter binds.
 */
function checkActivations(
  { gpu, network }: Backbone,
  images: number,
  input: readonly [number, number],
): void {
  const { memory } = network.plan([images, 3, ...input]);
  const largest = Math.max(
    ...memory.buffers,
    images * input[0] * input[1] * 16,
  );
  if (largest <= gpu.maxTensorBytes) return;
  throw batchTooLarge(
    new GpuError(
      `an activation has ${largest} bytes, more than the adapter binds at once (${gpu.maxTensorBytes})`,
    ),
    images,
    input,
  );
}

/** Rows of a chunk. */
interface Span {
  readonly chunk: Tensor;
  /** The first of them, in the chunk. */
  readonly from: number;
  /** The first of them, among those that are meant. */
  readonly to: number;
  /** How many they are. */
  readonly rows: number;
}

/** Some rows, which may lie in several chunks. */
function spansOf(
  { chunks, rowsPerChunk }: RowChunks,
  firstRow: number,
  count: number,
): Span[] {
  return chunks.flatMap((chunk, index) => {
    const start = index * rowsPerChunk;
    const first = Math.max(start, firstRow);
    const end = Math.min(start + chunk.shape[0]!, firstRow + count);
    if (first >= end) return [];
    const [from, to] = [first - start, first - firstRow];
    return [{ chunk, from, to, rows: end - first }];
  });
}

/** Squared lengths of rows. */
function recordNorms(
  program: Program,
  spans: readonly Span[],
  dim: number,
  norms: Tensor,
): void {
  for (const { chunk, ...span } of spans) {
    program.dispatch(
      rowNorms,
      { ...span, dim },
      { rows: chunk, shift: chunk, norms },
      "patch features",
    );
  }
}

/** Makes the length of rows 1. */
function recordUnits(
  program: Program,
  spans: readonly Span[],
  dim: number,
): void {
  for (const { chunk, from, rows } of spans) {
    program.dispatch(
      unitRows,
      { rows, dim, from },
      { rows: chunk },
      "patch features",
    );
  }
}

/**
 * Names and shapes of a backbone's taps.
 *
 * @param input Its input, `[height, width]`.
 */
export function tapShapes(
  { network }: Backbone,
  input: readonly [number, number],
): TapShape[] {
  const { shapes } = network.plan([1, 3, ...input]);
  return network.taps.map(({ name, tensor }) => {
    const [, channels, height, width] = shapes.get(tensor)!;
    return { name, height, width, channels };
  });
}
