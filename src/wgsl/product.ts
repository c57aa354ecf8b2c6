import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./product.wgsl" with { type: "text" };

/** C `[rows, columns]` = A `[rows, inner]` · B `[inner, columns]`; strides count elements. */
export interface ProductSizes {
  /** Rows of A and C. */
  readonly rows: number;
  /** Columns of A, rows of B. */
  readonly inner: number;
  /** Columns of B and C, a multiple of 4. */
  readonly columns: number;
  /** Where A begins; 0 by default. */
  readonly aFirst?: number;
  /** From a row of A to the next; `inner` by default. */
  readonly aRow?: number;
  /** From a column of A to the next; 1 by default. */
  readonly aColumn?: number;
  /** From a row of B to the next, a multiple of 4; `columns` by default. */
  readonly bRow?: number;
  /** From a row of C to the next, a multiple of 4; `columns` by default. */
  readonly cRow?: number;
  /** How many products, 1 by default. */
  readonly count?: number;
  /** From a product's A to the next one's. */
  readonly aBatch?: number;
  /** From a product's B to the next one's, a multiple of 4. */
  readonly bBatch?: number;
  /** From a product's C to the next one's, a multiple of 4. */
  readonly cBatch?: number;
  /** What the product is multiplied with; 1 by default. */
  readonly scale?: number;
  /** Whether it is added to C; it replaces C by default. */
  readonly add?: boolean;
  /** Lanes of a workgroup: 8 or more. */
  readonly lanes: number;
}

/** Small matrix products with strides, so that A may be read transposed. */
export const product: Kernel<ProductSizes, "a" | "b" | "c"> = defineKernel({
  name: "product",
  source,
  plan(sizes) {
    const { rows, inner, columns, lanes, count = 1 } = sizes;
    return {
      params: {
        rows,
        inner,
        columns4: columns / 4,
        a_first: sizes.aFirst ?? 0,
        a_row: sizes.aRow ?? inner,
        a_column: sizes.aColumn ?? 1,
        a_batch: sizes.aBatch ?? 0,
        b_row4: (sizes.bRow ?? columns) / 4,
        b_batch4: (sizes.bBatch ?? 0) / 4,
        c_row4: (sizes.cRow ?? columns) / 4,
        c_batch4: (sizes.cBatch ?? 0) / 4,
        scale: sizes.scale ?? 1,
      },
      overrides: { LANES: lanes, ADD: Number(sizes.add ?? false) },
      workgroups: [
        Math.ceil(columns / 4 / lanes),
        Math.ceil(rows / 16),
        count,
      ],
    };
  },
});
