import { dryGpu, FREE_LABEL, type Gpu } from "../../gpu/mod.ts";
import { dryCoreset } from "../coreset/state.ts";
import type { NamedImage } from "../features/image_source.ts";
import type { LoadOptions, PatchCoreOptions } from "./options.ts";
import { PatchCore } from "./patchcore.ts";

/** GPU memory that a piece of work will need at its peak. */
export interface PlannedMemory {
  /** Bytes allocated at that moment. */
  readonly bytes: number;
  /** What they are for; the sum is `bytes`. */
  readonly parts: Readonly<Record<string, number>>;
}

/** The images that a plan is made for. */
export interface PlannedImages {
  /** How many. */
  readonly count: number;
  /** Width of each in pixels. */
  readonly width: number;
  /** Height of each in pixels. */
  readonly height: number;
}

/** A fit as planned. */
export interface PlannedFit extends PlannedMemory {
  /** A model of the size that it would give, full of zeros. */
  readonly model: Uint8Array<ArrayBuffer>;
}

/**
 * Plans the memory of a fit without doing it: the same code runs on a device
 * that only counts, so that the plan is what the fit will allocate.
 *
 * @param options As for `PatchCore.create`; random weights are accepted.
 */
export async function planFit(
  gpu: Gpu,
  options: Omit<PatchCoreOptions, "gpu" | "profile">,
  images: PlannedImages,
): Promise<PlannedFit> {
  const { gpu: dry, memory } = dryGpu(gpu, dryCoreset);
  using detector = await PatchCore.create({
    ...options,
    gpu: dry,
    allowRandom: true,
  });
  await detector.fit(blanks(images));
  return { ...inParts(memory.atPeak), model: detector.save() };
}

/**
 * Plans the memory of predictions as {@linkcode planFit} does that of a fit.
 *
 * @param options As for `PatchCore.load`.
 */
export async function planPredict(
  gpu: Gpu,
  model: Uint8Array,
  options: Omit<LoadOptions, "gpu" | "profile">,
  images: PlannedImages,
): Promise<PlannedMemory> {
  const { gpu: dry, memory } = dryGpu(gpu);
  using detector = await PatchCore.load(model, { ...options, gpu: dry });
  const predictions = detector.predict(blanks(images));
  while (!(await predictions.next()).done);
  return inParts(memory.atPeak);
}

function* blanks(
  { count, width, height }: PlannedImages,
): Generator<NamedImage> {
  const content = { width, height, data: new Uint8Array(width * height * 4) };
  for (let i = 0; i < count; i++) yield { name: `image ${i}`, content };
}

/** What buffers are for, by their label; the first match counts. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ["parameters", /^parameters /],
  ["activations", /^activations /],
  ["features", /features|^patches$/],
  ["bank", /^memory bank|^bank /],
  ["kept_for_reuse", new RegExp(`^${FREE_LABEL}$`)],
];

function inParts(atPeak: ReadonlyMap<string, number>): PlannedMemory {
  const parts: Record<string, number> = {};
  let sum = 0;
  for (const [label, bytes] of atPeak) {
    const part = PARTS.find(([, of]) => of.test(label))?.[0] ?? "workspace";
    parts[part] = (parts[part] ?? 0) + bytes;
    sum += bytes;
  }
  return { bytes: sum, parts };
}
