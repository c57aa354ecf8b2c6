import { coresetBytes } from "../../coreset/greedy_coreset.ts";
import { packedBytes } from "../../rows/packed_rows.ts";
import { projectedBytes } from "../../rows/projection.ts";
import { roundUp } from "../../../wgsl/grid.ts";

/** Small buffers: states, parameters, pieces that are read back. */
const SMALL = 4 * 2 ** 20;

/** Patches that are searched with one submit to measure distances, at most. */
const MEASURED = 1024;

/** Patches in the programs that score images without their own rows. */
const SCORED = 704;

/** Bytes of a piece of the packed bank, at most. */
const MOST_PIECE = 2 ** 27;

/** Lower bounds that a search keeps for each of them, at most. */
const GROUPS = 4200;

/** What decides the GPU memory of a fit. */
export interface FitSizes {
  /** Bytes of the backbone, its activations and the image to resize. */
  readonly fixedBytes: number;
  /** Patches of an image. */
  readonly patches: number;
  /** Elements of a feature, padding included. */
  readonly dim: number;
  /** Elements of a projected feature; none where there is no projection. */
  readonly projected: number | undefined;
  /** Whether rows are chosen greedily. */
  readonly greedy: boolean;
}

/** GPU bytes of a fit that holds all features at once, at the most. */
export function wholeFitBytes(
  sizes: FitSizes,
  rows: number,
  bankRows: number,
): number {
  const bank = rowBytes(sizes, bankRows);
  const choosing = choiceBytes(sizes, rows, bankRows);
  const scoring = searchBytes(bankRows, sizes.dim, SCORED) +
    bufferAndReadback(rows, 8);
  return sizes.fixedBytes + rowBytes(sizes, rows) + bank +
    Math.max(choosing, scoring) + SMALL;
}

/** How a fit in bounded memory divides it. */
export interface StreamLayout {
  /** The most patches at one time. */
  readonly capacity: number;
  /** Rows that are left when that is full. */
  readonly kept: number;
  /** Images that are scored together for the threshold. */
  readonly block: number;
}

/** GPU bytes of a fit in bounded memory, at the most. */
export function streamedFitBytes(
  sizes: FitSizes,
  { capacity, kept, block }: StreamLayout,
  bankRows: number,
): number {
  const { fixedBytes } = sizes;
  const chosen = Math.max(kept, bankRows);
  const building = rowBytes(sizes, capacity + chosen) +
    choiceBytes(sizes, capacity, chosen);
  const scoring = scoringBytes(sizes, block, bankRows);
  return fixedBytes + Math.max(building, scoring) + SMALL;
}

/** How a fit with projected copies uses memory. */
export interface ProjectedLayout {
  /** Images that are extracted together. */
  readonly batch: number;
  /** Images that are scored together for the threshold. */
  readonly block: number;
  /** Whether the coreset goes without the bounds that make it quicker. */
  readonly lean: boolean;
}

/**
 * GPU bytes of a fit that holds the projected copies of all features and a batch
 * of the features themselves, at the most.
 */
export function projectedFitBytes(
  sizes: FitSizes & { readonly projected: number },
  rows: number,
  { batch, block, lean }: ProjectedLayout,
  bankRows: number,
): number {
  const { dim, projected, patches, fixedBytes } = sizes;
  const collecting = projectedBytes(rows, projected) +
    rowBytes(sizes, 2 * batch * patches) + dim * roundUp(projected, 4) * 4;
  const choosing = choiceBytes(sizes, rows, bankRows, lean);
  const scoring = scoringBytes(sizes, Math.max(batch, block), bankRows);
  return fixedBytes + Math.max(collecting, choosing, scoring) + SMALL;
}

/** To score images that are extracted a second time, the bank included. */
function scoringBytes(
  sizes: FitSizes,
  block: number,
  bankRows: number,
): number {
  const { dim, projected, patches, greedy } = sizes;
  const length = projected ?? dim;
  const rows = block * patches;
  return rowBytes(sizes, bankRows + rows) +
    (bankRows + rows) * roundUp(length, 4) * 4 +
    searchBytes(bankRows, dim, SCORED) +
    (greedy ? searchBytes(bankRows, length, 2 * MEASURED) : 0) +
    bufferAndReadback(rows, 16);
}

function rowBytes({ dim }: FitSizes, rows: number): number {
  return rows * dim * 4;
}

/** Beside the rows themselves. */
function choiceBytes(
  sizes: FitSizes,
  rows: number,
  picks: number,
  lean = false,
): number {
  if (!sizes.greedy || picks >= rows) return rows * 4;
  const { dim, projected } = sizes;
  const length = roundUp(projected ?? dim, 4);
  const projection = projected === undefined
    ? 0
    : projectedBytes(rows, projected) + dim * length * 4;
  return projection +
    coresetBytes(rows, length, picks, { images: true, lean }) +
    picks * length * 4 + bufferAndReadback(rows, 8) +
    bufferAndReadback(rows + picks, 8);
}

/**
 * A packed copy of the bank, a piece of it a second time while it becomes an
 * image, and what is written for the queries.
 */
function searchBytes(rows: number, dim: number, queries: number): number {
  const packed = packedBytes(rows, dim);
  return packed + Math.min(packed, MOST_PIECE) + rows * 8 +
    queries * (Math.min(GROUPS, rows / 8 + 8) + 2.5 * dim + 40) * 4;
}

/** Numbers on the GPU and the buffer through which they are read. */
function bufferAndReadback(rows: number, bytes: number): number {
  return rows * bytes + 2 ** Math.ceil(Math.log2(rows * bytes));
}
