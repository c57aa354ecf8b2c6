import type { Category } from "../core/datasets/dataset.ts";
import { realPath, statOrNothing } from "./disk.ts";
import type { Terminal } from "./terminal.ts";

/**
 * A category as a fitted model is tested on it: nothing has to be held back for a
 * fit, so that all good images are tested but those that the model was fitted to.
 * A dataset that says itself what is to be tested stays as it is.
 *
 * Where the model's training images are not here, nobody can tell which they
 * are: then those are tested that a fit would hold back.
 *
 * @param trained Names of the model's training images.
 */
export async function unseenBy(
  trained: readonly string[],
  category: Category,
  terminal: Terminal,
): Promise<Category> {
  const { name, train, test } = category;
  if (!category.isDivided) return category;
  const known = new Set(await Promise.all(trained.map(realPath)));
  const good = [...train, ...test.filter(({ label }) => label === "normal")];
  const places = await Promise.all(good.map(({ path }) => realPath(path)));
  const unseen = new Set(
    good.filter((_, i) => !known.has(places[i]!)).map(({ path }) => path),
  );
  const seen = good.length - unseen.size;
  if (seen === 0 && !await areHere(trained)) {
    terminal.message(
      `${name}: the model's training images are not here, so that the ${
        good.length - train.length
      } good images that a fit would hold back are tested and the others are not`,
    );
    return category;
  }
  const left = `${name}: ${seen} good images are left out, as the model was`;
  if (unseen.size === 0 && seen > 0) {
    terminal.warn(
      `${left} fitted to them: none is left that would tell of false alarms`,
    );
  } else if (seen > 0) terminal.message(`${left} fitted to them`);
  return {
    ...category,
    train: [],
    test: [
      ...test.filter(({ label }) => label === "anomalous"),
      ...good.filter(({ path }) => unseen.has(path)),
    ],
  };
}

async function areHere(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    try {
      if (await statOrNothing(path) === undefined) return false;
    } catch {
      return false; // It may not be looked at.
    }
  }
  return true;
}
