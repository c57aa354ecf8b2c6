/**
 * Names for the results of images: their paths without what all share and
 * without their extensions, as far as names stay apart that way; else with
 * extensions, then with folders above, then with numbers. Names are told apart
 * without regard to case and to how accents are written, and are file names on
 * every system.
 *
 * @param paths All images of a run, each once.
 * @returns For each path a relative name without `..`, with `/` between folders.
 */
export function resultNames(paths: readonly string[]): string[] {
  const images = paths.map(partsOf);
  const shared = sharedFolders(images);
  const levels = new Uint8Array(paths.length);
  const nameOf = (i: number): string => {
    const { up, parts } = images[i]!;
    const own = parts.slice(shared);
    const folders = own.slice(0, -1).map(folderName);
    const file = own.at(-1) ?? "image";
    const name = levels[i] === WITH_EXTENSION ? file : withoutExtension(file);
    const above = levels[i] === WITH_FOLDERS_ABOVE ? up : [];
    return [...above, ...folders, portable(name)].join("/");
  };
  const names = paths.map((_, i) => nameOf(i));
  for (let rounds = 0; rounds < NUMBERED * 2; rounds++) {
    const raised = collisions(names).flatMap((group) => {
      const lowest = Math.min(...group.map((i) => levels[i]!));
      return group.filter((i) => levels[i] === lowest && lowest < NUMBERED);
    });
    if (raised.length === 0) break;
    for (const i of raised) {
      levels[i]!++;
      names[i] = nameOf(i);
    }
  }
  return numbered(names);
}

const WITH_EXTENSION = 1;
const WITH_FOLDERS_ABOVE = 2;
const NUMBERED = 3;

/** Bytes that file systems allow a name, less those of an extension. */
const NAME_BYTES = 240;

interface Parts {
  /** One `up` for each `..` at the beginning. */
  readonly up: readonly string[];
  /** The folders and the file, without `.` and `..`. */
  readonly parts: readonly string[];
}

function partsOf(path: string): Parts {
  const parts: string[] = [];
  const up: string[] = [];
  for (const part of path.split(/[/\\]/)) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) up.push("up");
  }
  return { up, parts };
}

function sharedFolders(images: readonly Parts[]): number {
  const [first] = images;
  if (first === undefined) return 0;
  let shared = first.parts.length - 1;
  for (const { parts } of images) {
    let same = 0;
    const most = Math.min(shared, parts.length - 1);
    while (same < most && parts[same] === first.parts[same]) same++;
    shared = same;
  }
  return Math.max(0, shared);
}

function withoutExtension(file: string): string {
  return file.replace(/(?<=.)\.[^.]*$/, "");
}

/** A folder's name that no result file of an image beside it has. */
function folderName(name: string): string {
  return portable(name).replace(/\.(npy|png|tiff)$/i, "$&_");
}

/** A name that every file system takes. */
function portable(name: string): string {
  const safe = name
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x1f<>:"|?*]/g, "_")
    .replace(/[. ]+$/, (end) => "_".repeat(end.length))
    .replace(/^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i, "$&_");
  const bytes = new TextEncoder().encode(safe);
  return bytes.length <= NAME_BYTES
    ? safe
    : new TextDecoder().decode(bytes.subarray(0, NAME_BYTES))
      .replace(/\ufffd+$/, "");
}

/** Groups of names that some file system takes for one. */
function collisions(names: readonly string[]): number[][] {
  const groups = Map.groupBy(names.keys(), (i) => folded(names[i]!));
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Numbers the second and every further image of a name. */
function numbered(names: readonly string[]): string[] {
  const taken = new Set(names.map(folded));
  const first = new Set<string>();
  return names.map((name) => {
    if (!first.has(folded(name))) {
      first.add(folded(name));
      return name;
    }
    let number = 2;
    while (taken.has(folded(`${name}-${number}`))) number++;
    taken.add(folded(`${name}-${number}`));
    return `${name}-${number}`;
  });
}

function folded(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
