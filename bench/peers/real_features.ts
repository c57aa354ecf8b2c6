/**
 * Real patch features for the benches beside peers: a category's training
 * images and some of its test images through a backbone with the preset `paper`.
 * They are left in files of little-endian float32, which NumPy maps as they are.
 *
 * @module
 */
import { Backbone } from "../../src/core/features/backbone.ts";
import type { NamedImage } from "../../src/core/features/image_source.ts";
import { extractTrainingFeatures } from "../../src/core/features/training_features.ts";
import { PRESETS } from "../../src/core/settings/presets.ts";
import { type Gpu, RowChunks } from "../../src/gpu/mod.ts";

/** Where the features come from and go. */
export interface RealFeaturesOptions {
  /** Folder of a category: `train/good/*.png`, `test/<defect>/*.png`. */
  readonly category: string;
  /** The backbone's ONNX file. */
  readonly model: string;
  /** Folder of the files; features that are there are taken as they are. */
  readonly folder: string;
}

/** Files of patch features. */
export interface RealFeatures {
  /** Features of the training images `[rows, dim]`. */
  readonly train: string;
  /** Features of test images `[rows, dim]`, the first of each kind. */
  readonly test: string;
  /** Elements of a row. */
  readonly dim: number;
  /** Patches of an image. */
  readonly patches: number;
}

/** Computes the features of a category unless the folder has them. */
export async function realFeatures(
  gpu: Gpu,
  { category, model, folder }: RealFeaturesOptions,
): Promise<RealFeatures> {
  const description = `${folder}/features.json`;
  try {
    return JSON.parse(await Deno.readTextFile(description));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const settings = PRESETS.paper;
  using backbone = await Backbone.load(gpu, {
    name: model,
    bytes: await Deno.readFile(model),
  }, settings);
  await Deno.mkdir(folder, { recursive: true });
  let sizes = { dim: 0, patches: 0 };
  const write = async (file: string, images: readonly NamedImage[]) => {
    using features = await extractTrainingFeatures(
      gpu,
      backbone,
      settings,
      images,
      { batch: 8 },
    );
    const { extractor, rows } = features;
    sizes = { dim: rows.dim, patches: extractor.features.patches };
    extractor[Symbol.dispose]();
    await writeRows(gpu, rows, file);
    return file;
  };
  const kinds = names(`${category}/test`);
  const result = {
    train: await write(
      `${folder}/train.f32`,
      images(`${category}/train/good`),
    ),
    test: await write(
      `${folder}/test.f32`,
      kinds.map((kind) => images(`${category}/test/${kind}`)[0]!),
    ),
    ...sizes,
  };
  await Deno.writeTextFile(description, JSON.stringify(result));
  return result;
}

/** Loads rows of such a file. */
export async function loadRows(
  gpu: Gpu,
  file: string,
  dim: number,
): Promise<RowChunks> {
  const { size } = await Deno.stat(file);
  const rows = RowChunks.allocate(gpu, size / (4 * dim), dim, file);
  using source = await Deno.open(file);
  for (const chunk of rows.chunks) {
    const data = new Float32Array(chunk.size);
    const bytes = new Uint8Array(data.buffer);
    for (let at = 0; at < bytes.length;) {
      at += await source.read(bytes.subarray(at)) ?? bytes.length;
    }
    gpu.write(chunk, data);
    await gpu.finish();
  }
  return rows;
}

/** Writes rows to such a file. */
export async function writeRows(
  gpu: Gpu,
  rows: RowChunks,
  file: string,
): Promise<void> {
  using target = await Deno.create(file);
  const writer = target.writable.getWriter();
  for (const chunk of rows.chunks) {
    const data = await gpu.readFloats(chunk);
    await writer.write(new Uint8Array(data.buffer, 0, chunk.size * 4));
  }
  writer.releaseLock();
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

function images(folder: string): NamedImage[] {
  return names(folder).map((name) => ({
    name: `${folder}/${name}`,
    content: () => Deno.readFile(`${folder}/${name}`),
  }));
}
