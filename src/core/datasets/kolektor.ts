import { decodeMask } from "../images/mask.ts";
import type { Category, DatasetOptions, Sample } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  findName,
  type Folder,
  imageNames,
  join,
  listFolder,
  noImages,
  stem,
} from "./files.ts";
import { splitHoldout } from "./holdout.ts";

const LABEL = /_label\.bmp$/i;
const TRUTH = /_gt\.png$/i;

/**
 * Whether a folder is KolektorSDD, or one item of it: images beside masks
 * `Part0_label.bmp`, in the folder or in those inside.
 */
export async function isKolektor(
  files: Files,
  root: Folder,
): Promise<boolean> {
  const hasLabels = (folder: Folder): boolean =>
    folder.files.some((name) => LABEL.test(name));
  if (hasLabels(root)) return true;
  for (const name of root.folders) {
    if (!/^kos\d+$/i.test(name)) continue;
    if (hasLabels(await listFolder(files, join(root.path, name)))) return true;
  }
  return false;
}

/** Whether a folder is KolektorSDD2: `train` and `test` with `NAME_GT.png`. */
export async function isKolektor2(
  files: Files,
  root: Folder,
): Promise<boolean> {
  const train = await findFolder(files, root, "train");
  return train?.files.some((name) => TRUTH.test(name)) ?? false;
}

/**
 * Reads KolektorSDD: images `kos01/Part0.jpg` with masks `Part0_label.bmp`
 * beside them. An image is normal if its mask is black; a seeded share of the
 * normal images is tested.
 *
 * @param options Seed and share of the held-out normal images.
 * @throws {Error} If a mask is missing.
 */
export async function readKolektor(
  files: Files,
  root: Folder,
  options: DatasetOptions,
): Promise<Category> {
  const samples = await labelled(files, root, LABEL);
  for (const name of root.folders) {
    const folder = await listFolder(files, join(root.path, name));
    if (!folder.files.some((file) => LABEL.test(file))) continue;
    samples.push(...await labelled(files, folder, LABEL));
  }
  const isNormal = ({ label }: Sample): boolean => label === "normal";
  const { train, test } = splitHoldout(samples.filter(isNormal), options);
  const anomalous = samples.filter((sample) => !isNormal(sample));
  return {
    name: baseName(root.path),
    train,
    test: [...anomalous, ...test],
    isDivided: true,
  };
}

/**
 * Reads KolektorSDD2: images `train/10000.png` and `test/20000.png` with masks
 * `NAME_GT.png` beside them. An image is normal if its mask is black; defective
 * images of `train` are left out.
 *
 * @throws {Error} If images or masks are missing.
 */
export async function readKolektor2(
  files: Files,
  root: Folder,
  { purpose = "evaluate" }: DatasetOptions,
): Promise<Category> {
  const part = async (name: "train" | "test"): Promise<Sample[]> => {
    const folder = await findFolder(files, root, name);
    const samples = folder && await labelled(files, folder, TRUTH);
    if (samples === undefined || samples.length === 0) {
      throw noImages(root, name);
    }
    return samples;
  };
  const train = purpose === "predict" ? [] : await part("train");
  return {
    name: baseName(root.path),
    train: train.filter(({ label }) => label === "normal"),
    test: purpose === "fit" ? [] : await part("test"),
  };
}

/** The images of a folder whose masks lie beside them and say what they are. */
async function labelled(
  files: Files,
  folder: Folder,
  mask: RegExp,
): Promise<Sample[]> {
  const masks = folder.files.filter((name) => mask.test(name));
  const samples: Sample[] = [];
  for (const name of imageNames(folder)) {
    if (mask.test(name)) continue;
    const path = join(folder.path, name);
    const end = mask === LABEL ? "_label.bmp" : "_GT.png";
    const own = findName(masks, `${stem(name)}${end}`);
    if (own === undefined) {
      throw new Error(
        `Cannot find the mask of "${path}": looked for "${
          stem(name)
        }${end}" beside it`,
      );
    }
    const source = join(folder.path, own);
    samples.push(
      await isBlack(files, source) ? { path, label: "normal" } : {
        path,
        label: "anomalous",
        mask: { path: source, nonZero: true },
      },
    );
  }
  return samples;
}

async function isBlack(files: Files, path: string): Promise<boolean> {
  const { data } = await decodeMask(await files.read(path), path);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i]! | data[i + 1]! | data[i + 2]!) return false;
  }
  return true;
}
