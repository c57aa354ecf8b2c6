import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import {
  resizeHorizontal,
  type ResizeHorizontalSizes,
  resizeVertical,
  type ResizeVerticalSizes,
} from "../../wgsl/mod.ts";
import type { ResizePlan } from "./resize_plan.ts";

/** Tensors that a {@linkcode Resizer} works on but does not own. */
interface ResizerTensors {
  /** `u32`, at least {@linkcode ResizerSizes.sourceWords}. */
  readonly source: Tensor;
  /** `u32`, at least {@linkcode ResizerSizes.betweenWords}. */
  readonly between: Tensor;
  /** `[256, 4]`, see `normalisationTable`. */
  readonly table: Tensor;
  /** `[N, H, W, 4]`. */
  readonly output: Tensor;
}

/** What a resize needs besides its result. */
interface ResizerSizes {
  /** Original rows that are uploaded at a time. */
  readonly bandRows: number;
  /** Whether rows are resized, or copied in bands. */
  readonly horizontal: boolean;
  /** Pixels of a band. */
  readonly sourceWords: number;
  /** Pixels between the two passes. */
  readonly betweenWords: number;
}

/**
 * How much memory a resize needs, and in how many bands it is done.
 *
 * @param maxSourceBytes The most bytes of the original uploaded at a time.
 */
export function resizerSizes(
  plan: ResizePlan,
  maxSourceBytes: number,
): ResizerSizes {
  const { columns, rows } = plan;
  const needed = rows.to - rows.from;
  const fitting = Math.max(1, Math.floor(maxSourceBytes / (columns.input * 4)));
  const bandRows = Math.min(needed, fitting);
  const horizontal = !columns.isCopy || bandRows < needed;
  return {
    bandRows,
    horizontal,
    sourceWords: bandRows * columns.input,
    betweenWords: horizontal ? needed * columns.length : 1,
  };
}

/** The resize of images of one size into one tensor: recorded once, replayed. */
export class Resizer implements Disposable {
  /** What is resized. */
  readonly plan: ResizePlan;
  /** The tensors it is bound to. */
  readonly tensors: ResizerTensors;
  readonly #gpu: Gpu;
  readonly #sizes: ResizerSizes;
  readonly #horizontal: Program;
  readonly #vertical: Program;
  readonly #owned: DisposableStack;

  private constructor(
    gpu: Gpu,
    plan: ResizePlan,
    sizes: ResizerSizes,
    tensors: ResizerTensors,
  ) {
    this.plan = plan;
    this.tensors = tensors;
    this.#gpu = gpu;
    this.#sizes = sizes;
    const { columns, rows } = plan;
    using owned = new DisposableStack();
    const columnTaps = owned.use(
      gpu.upload(columns.taps, undefined, "column taps"),
    );
    const rowTaps = owned.use(gpu.upload(rows.taps, undefined, "row taps"));
    const { source, between, table, output } = tensors;
    this.#horizontal = owned.use(gpu.program("resize rows"));
    if (sizes.horizontal) {
      const bindings = { x: source, taps: columnTaps, y: between };
      const band = this.#band(0, sizes.bandRows);
      this.#horizontal.dispatch(resizeHorizontal, band, bindings);
    }
    this.#vertical = owned.use(gpu.program("resize columns")).dispatch(
      resizeVertical,
      this.#columns(0),
      {
        x: sizes.horizontal ? between : source,
        taps: rowTaps,
        table,
        y: output,
      },
    );
    this.#owned = owned.move();
  }

  /** Records and compiles. */
  static async create(
    gpu: Gpu,
    plan: ResizePlan,
    sizes: ResizerSizes,
    tensors: ResizerTensors,
  ): Promise<Resizer> {
    using failed = new DisposableStack();
    const resizer = failed.use(new Resizer(gpu, plan, sizes, tensors));
    await resizer.#horizontal.compile();
    await resizer.#vertical.compile();
    failed.move();
    return resizer;
  }

  /**
   * Uploads and resizes one image; does not wait for the GPU.
   *
   * @param words The image, a word a pixel.
   * @param image Which image of the output it becomes.
   */
  run(words: Uint32Array<ArrayBuffer>, image: number): void {
    const { rows, columns } = this.plan;
    const { bandRows, horizontal } = this.#sizes;
    const { params } = resizeVertical.plan(this.#columns(image));
    this.#vertical.setParams(0, params);
    for (let row = rows.from; row < rows.to; row += bandRows) {
      const end = Math.min(row + bandRows, rows.to);
      const start = row * columns.input;
      const band = words.subarray(start, end * columns.input);
      this.#gpu.write(this.tensors.source, band);
      const programs = end === rows.to ? [this.#vertical] : [];
      if (horizontal) {
        const sizes = this.#band(row - rows.from, end - row);
        this.#horizontal.setParams(0, resizeHorizontal.plan(sizes).params);
        programs.unshift(this.#horizontal);
      }
      this.#gpu.submit(programs);
    }
  }

  #band(firstRow: number, rows: number): ResizeHorizontalSizes {
    const { input, length, tapCount, from } = this.plan.columns;
    return {
      width: input,
      rows,
      columns: length,
      tapCount,
      firstColumn: from,
      firstRow,
    };
  }

  #columns(image: number): ResizeVerticalSizes {
    const { columns, rows } = this.plan;
    const { horizontal } = this.#sizes;
    return {
      rows: rows.length,
      columns: columns.length,
      stride: horizontal ? columns.length : columns.input,
      firstColumn: horizontal ? 0 : columns.from,
      tapCount: rows.tapCount,
      image,
    };
  }

  /** Frees what it owns. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
