import type { Category, DatasetOptions, Sample } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  type Folder,
  imageNames,
  join,
  listFolder,
} from "./files.ts";
import { type NpyArray, parseNpy } from "../images/npy.ts";

const FRAME_MASKS = "test_frame_mask";
const PIXEL_MASKS = "test_pixel_mask";

/**
 * Reads ShanghaiTech Campus as mSTC, every fifth frame: frames
 * `training/frames/CLIP/*.jpg` and `testing/frames/CLIP/*.jpg`, labels
 * `testing/test_frame_mask/CLIP.npy`, masks `testing/test_pixel_mask/CLIP.npy`.
 * Without frame labels, a frame is anomalous if one of its pixels is.
 *
 * @throws {Error} If frames or labels are missing, naming what was looked for.
 */
export async function readShanghaiTech(
  files: Files,
  root: Folder,
  options: DatasetOptions,
): Promise<Category> {
  const { frameStep = 5 } = options;
  if (!Number.isInteger(frameStep) || frameStep < 1) {
    throw new RangeError(
      `Cannot take frames: frameStep must be a positive integer: current value is ${frameStep}`,
    );
  }
  const train: Sample[] = [], test: Sample[] = [];
  for (const clip of await clipsOf(files, root, "training")) {
    for (const name of clip.frames.filter((_, i) => i % frameStep === 0)) {
      train.push({ path: join(clip.path, name), label: "normal" });
    }
  }
  const truth = await findTruth(files, root);
  for (const clip of await clipsOf(files, root, "testing")) {
    const anomalous = await frameLabels(files, truth, clip);
    const masks = truth.pixels?.files.includes(`${clip.name}.npy`)
      ? join(truth.pixels.path, `${clip.name}.npy`)
      : undefined;
    for (let i = 0; i < clip.frames.length; i += frameStep) {
      const path = join(clip.path, clip.frames[i]!);
      if (!anomalous[i]) test.push({ path, label: "normal" });
      else if (masks === undefined) test.push({ path, label: "anomalous" });
      else {
        test.push({
          path,
          label: "anomalous",
          mask: { path: masks, frame: i },
        });
      }
    }
  }
  return { name: baseName(root.path), train, test };
}

interface Clip {
  readonly name: string;
  readonly path: string;
  readonly frames: readonly string[];
}

async function clipsOf(
  files: Files,
  root: Folder,
  part: "training" | "testing",
): Promise<Clip[]> {
  const folder = await findFolder(files, root, part, "frames");
  const clips: Clip[] = [];
  for (const name of folder?.folders ?? []) {
    const clip = await listFolder(files, join(folder!.path, name));
    const frames = imageNames(clip).sort(byNumber);
    if (frames.length > 0) clips.push({ name, path: clip.path, frames });
  }
  if (clips.length > 0) return clips;
  throw new Error(
    `Cannot read ShanghaiTech Campus in "${root.path}": looked for "${part}/frames/CLIP/*.jpg", found none; videos must be taken apart into frames first`,
  );
}

/** Frames are numbered; a longer number comes later though its name sorts before. */
function byNumber(a: string, b: string): number {
  return Number.parseInt(a) - Number.parseInt(b) || (a < b ? -1 : 1);
}

interface Truth {
  readonly frames: Folder | undefined;
  readonly pixels: Folder | undefined;
}

async function findTruth(files: Files, root: Folder): Promise<Truth> {
  const find = async (name: string): Promise<Folder | undefined> =>
    await findFolder(files, root, "testing", name) ??
      await findFolder(files, root, name);
  const truth = {
    frames: await find(FRAME_MASKS),
    pixels: await find(PIXEL_MASKS),
  };
  if (truth.frames ?? truth.pixels) return truth;
  throw new Error(
    `Cannot read ShanghaiTech Campus in "${root.path}": looked for "testing/${FRAME_MASKS}" and "testing/${PIXEL_MASKS}", found neither`,
  );
}

async function frameLabels(
  files: Files,
  truth: Truth,
  clip: Clip,
): Promise<boolean[]> {
  const file = `${clip.name}.npy`;
  const folder = [truth.frames, truth.pixels]
    .find((folder) => folder?.files.includes(file));
  if (folder === undefined) {
    throw new Error(
      `Cannot find the labels of clip "${clip.path}": looked for "${file}" in "${FRAME_MASKS}" and "${PIXEL_MASKS}"`,
    );
  }
  const path = join(folder.path, file);
  const array = parseNpy(await files.read(path), path);
  const [frames = 0] = array.shape;
  if (frames !== clip.frames.length) {
    throw new Error(
      `Cannot label clip "${clip.path}": it has ${clip.frames.length} frames, "${path}" has ${frames}`,
    );
  }
  return labelFrames(array, frames);
}

function labelFrames(array: NpyArray, frames: number): boolean[] {
  const each = array.data.length / frames;
  return Array.from({ length: frames }, (_, frame) => {
    for (let i = frame * each; i < (frame + 1) * each; i++) {
      if (array.data[i]) return true;
    }
    return false;
  });
}
