import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import type { Access } from "../../wgsl/kernel.ts";
import { projectRows, type ProjectRowsSizes } from "../../wgsl/project_rows.ts";
import {
  type Panels,
  panelsToRead,
  recordPanels,
} from "../rows/packed_rows.ts";
import { projectionStorage } from "../rows/projection.ts";
import type { PrincipalAxes } from "./principal_axes.ts";

/** Rows along principal axes: what bounds of their distances are made from. */
export class PcaProjection implements Disposable {
  /** Elements of a row. */
  readonly dim: number;
  /** Elements of a projected row. */
  readonly axes: number;
  /** What is taken from every row first `[dim]`. */
  readonly mean: Tensor;
  readonly #gpu: Gpu;
  readonly #matrix: Tensor;

  /** Uploads the axes and the rows' mean. */
  constructor(gpu: Gpu, of: Pick<PrincipalAxes, "mean" | "matrix">) {
    const dim = this.dim = of.mean.length;
    this.axes = of.matrix.length / dim;
    this.#gpu = gpu;
    using owned = new DisposableStack();
    this.mean = owned.use(gpu.upload(of.mean, [dim], "mean row"));
    const storage = projectionStorage(gpu);
    const shape = [dim, this.axes];
    this.#matrix = gpu.upload(of.matrix, shape, "principal axes", storage);
    owned.move();
  }

  /**
   * Records the projection of rows.
   *
   * @param x The rows `[≥ from + rows, dim]`.
   * @param y Where they go `[≥ rows, axes]`.
   */
  record(
    program: Program,
    x: Tensor,
    y: Tensor,
    { rows, from = 0 }: Pick<ProjectRowsSizes, "rows"> & { from?: number },
  ): ProjectRowsSizes {
    const { dim, axes: outputs } = this;
    const sizes = { rows, dim, outputs, from, to: 0, shift: true };
    const tensors = { x, w: this.#matrix, shift: this.mean, y };
    const kernel = this.#gpu.pick(projectRows);
    program.dispatch(kernel, sizes, tensors, "bounds");
    return sizes;
  }

  /**
   * Projects rows and packs them.
   *
   * @param x The rows.
   * @param y Overwritten with the projected rows.
   * @param at How many rows, the first, and how kernels read the panels.
   * @param also Records what else is made from the panels.
   * @returns Panels as kernels read them, and the squared norms.
   */
  async pack(
    x: Tensor,
    y: Tensor,
    at: {
      readonly rows: number;
      readonly from: number;
      readonly access: Access;
    },
    also?: (program: Program, panels: Panels) => void,
  ): Promise<Panels> {
    const gpu = this.#gpu;
    using program = gpu.program("rows along principal axes");
    this.record(program, x, y, at);
    const sizes = { rows: at.rows, dim: this.axes };
    const panels = recordPanels(gpu, program, y, sizes);
    using failed = new DisposableStack();
    for (const tensor of Object.values(panels)) failed.use(tensor);
    also?.(program, panels);
    (await program.compile()).run();
    const packed = panelsToRead(gpu, panels.packed, at.access);
    failed.move();
    return { ...panels, packed };
  }

  /** Frees mean and axes. */
  [Symbol.dispose](): void {
    this.mean.dispose();
    this.#matrix.dispose();
  }
}
