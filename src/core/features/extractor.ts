import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import type { Session } from "../../nn/session.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import { patchGrid, type TapShape } from "./feature_layer.ts";
import { PatchFeatures } from "./patch_features.ts";
import { batchTooLarge } from "./batch_too_large.ts";
import type { Pixels } from "../images/pixels.ts";
import { Preprocessor } from "../images/preprocess.ts";
import { type CropGeometry, planExtents } from "../images/resize_plan.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { type RegionGrid, regionGrid } from "./region_grid.ts";

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
    this.#preprocessor = new Preprocessor(gpu, { ...settings, normalise });
    owned.move();
  }

  /** An extractor for images that get the input size of this one. */
  static forImage(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    image: Pick<Pixels, "width" | "height">,
    maxImages: number,
  ): FeatureExtractor {
    const input = FeatureExtractor.inputSize(image, settings);
    return new FeatureExtractor(gpu, backbone, settings, input, maxImages);
  }

  /** Input size that an image of this size gets, `[height, width]`. */
  static inputSize(
    { width, height }: Pick<Pixels, "width" | "height">,
    settings: Settings,
  ): [number, number] {
    const { rows, columns } = planExtents(width, height, settings);
    return [rows.length, columns.length];
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
    const size = FeatureExtractor.inputSize(image, this.#settings);
    if (size.join() === this.input.join()) return;
    throw new RangeError(
      `Cannot use an image of ${image.width} × ${image.height} pixels: it becomes ${
        size[1]
      } × ${size[0]} and the others ${this.input[1]} × ${
        this.input[0]
      }; fit with a crop, or resize to a square`,
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
    images: readonly Pixels[],
  ): Promise<readonly CropGeometry[]> {
    const region = this.region?.region;
    const { geometries } = await this.#preprocessor.encode(
      region ? images.map((image) => region.blank(image)) : images,
      session.input,
    );
    return geometries;
  }

  /**
   * A program that turns a session's taps into rows from `firstRow` on.
   *
   * @param norms Where the rows' squared lengths go, if they are wanted.
   */
  async patchProgram(
    session: Session,
    rows: RowChunks,
    firstRow: number,
    norms?: Tensor,
  ): Promise<Program> {
    const program = this.#gpu.program("patch features");
    const taps = this.#backbone.network.outputs.map((name) =>
      session.taps.get(name)!
    );
    this.features.record(program, taps, rows, { firstRow });
    if (norms !== undefined) {
      const count = taps[0]!.shape[0]! * this.features.patches;
      recordNorms(program, rows, firstRow, count, norms);
    }
    return await program.compile();
  }

  /** Frees the activations, which are allocated anew when they are needed. */
  release(): void {
    for (const session of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
  }

  /** Frees everything but the backbone. */
  [Symbol.dispose](): void {
    this.release();
    this.features[Symbol.dispose]();
    this.#preprocessor[Symbol.dispose]();
  }
}

/** Squared lengths of some rows, which may lie in several chunks. */
function recordNorms(
  program: Program,
  { chunks, rowsPerChunk, dim }: RowChunks,
  firstRow: number,
  count: number,
  norms: Tensor,
): void {
  chunks.forEach((chunk, index) => {
    const start = index * rowsPerChunk;
    const first = Math.max(start, firstRow);
    const end = Math.min(start + chunk.shape[0]!, firstRow + count);
    if (first >= end) return;
    program.dispatch(
      rowNorms,
      { rows: end - first, dim, from: first - start, to: first - firstRow },
      { rows: chunk, shift: chunk, norms },
      "patch features",
    );
  });
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
