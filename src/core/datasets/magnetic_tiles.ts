import type { Category, DatasetOptions, Sample } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  findName,
  type Folder,
  join,
  stem,
} from "./files.ts";
import { splitHoldout } from "./holdout.ts";

const PREFIX = "MT_";
const NORMAL = "MT_Free";

/**
 * Reads Magnetic Tile Defects: images `MT_KIND/Imgs/NAME.jpg`, masks
 * `NAME.png` beside them, normal images in `MT_Free`, of which a seeded share
 * is tested.
 *
 * @param options Seed and share of the held-out normal images.
 * @throws {Error} If images or masks are missing, naming what was looked for.
 */
export async function readMagneticTiles(
  files: Files,
  root: Folder,
  options: DatasetOptions,
): Promise<Category> {
  const normal: Sample[] = [], anomalous: Sample[] = [];
  for (const name of root.folders) {
    if (!name.toUpperCase().startsWith(PREFIX)) continue;
    const folder = await findFolder(files, root, name, "Imgs");
    for (const image of folder?.files ?? []) {
      if (!/\.jpe?g$/i.test(image)) continue;
      const path = join(folder!.path, image);
      if (name.toUpperCase() === NORMAL.toUpperCase()) {
        normal.push({ path, label: "normal" });
      } else anomalous.push(defective(folder!, name, image));
    }
  }
  for (
    const [samples, where] of [
      [normal, `${NORMAL}/Imgs/*.jpg`],
      [anomalous, `${PREFIX}*/Imgs/*.jpg`],
    ] as const
  ) {
    if (samples.length > 0) continue;
    throw new Error(
      `Cannot read Magnetic Tile Defects in "${root.path}": looked for images "${where}", found none`,
    );
  }
  const { train, test } = splitHoldout(normal, options);
  return {
    name: baseName(root.path),
    train,
    test: [...anomalous, ...test],
    isDivided: true,
  };
}

function defective(folder: Folder, kind: string, image: string): Sample {
  const wanted = `${stem(image)}.png`;
  const mask = findName(folder.files, wanted);
  if (mask === undefined) {
    throw new Error(
      `Cannot find the mask of "${
        join(folder.path, image)
      }": looked for "${wanted}" beside it`,
    );
  }
  return {
    path: join(folder.path, image),
    label: "anomalous",
    defect: kind.slice(PREFIX.length),
    mask: { path: join(folder.path, mask) },
  };
}
