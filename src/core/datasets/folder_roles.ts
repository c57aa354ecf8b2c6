/** What a folder of a dataset holds, as far as its name tells. */
export type FolderRole =
  | "train"
  | "test"
  | "validation"
  | "masks"
  | "normal"
  | "abnormal";

const EXACT: readonly (readonly [FolderRole, RegExp])[] = [
  ["train", /^train(ing)?$/],
  ["test", /^test(ing)?$/],
  ["validation", /^val(id|idation)?$/],
  ["masks", /^(gt|masks?|ground[_ -]?truths?)$/],
];

const NORMAL = /^(good|ok|okay|normal|nominal|pass|passed)$/;
const ABNORMAL =
  /^(ng|nok|ko|bad|nogood|abnormal|def|defect.*|anomal.*|faulty|faults?|fail|failed|rejects?|rejected|broken)$/;
const NEGATION = /^(no|non|not|without|un)$/;

/**
 * What the name of a folder says that it holds, whatever its case: `Train`,
 * `GROUND_TRUTH`, `ok_front`, `not-ok`, `defect_free`. Negations are
 * understood; a name that says both is abnormal.
 *
 * @returns `undefined` where the name says nothing, such as a kind of defect.
 */
export function folderRole(name: string): FolderRole | undefined {
  const lower = name.toLowerCase();
  const exact = EXACT.find(([, pattern]) => pattern.test(lower));
  if (exact !== undefined) return exact[0];
  let [normal, abnormal, negated] = [false, false, false];
  for (const word of lower.split(/[^a-z]+/)) {
    if (word === "free" && abnormal) {
      [normal, abnormal] = [true, false];
    } else if (NORMAL.test(word)) {
      if (negated) abnormal = true;
      else normal = true;
    } else if (ABNORMAL.test(word)) {
      if (negated) normal = true;
      else abnormal = true;
    }
    negated = NEGATION.test(word);
  }
  if (abnormal) return "abnormal";
  return normal ? "normal" : undefined;
}

/** Names of the folders inside that have a role. */
export function foldersOf(
  names: readonly string[],
  role: FolderRole,
): string[] {
  return names.filter((name) => folderRole(name) === role);
}
