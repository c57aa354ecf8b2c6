const GOLDEN = new URL("../golden/", import.meta.url);

/** Files of a folder of tests/golden that others damage. */
export function goldenFiles(folder: string, name: RegExp): Uint8Array[] {
  const url = new URL(`${folder}/`, GOLDEN);
  const names = [...Deno.readDirSync(url)].map(({ name }) => name).sort()
    .filter((file) => name.test(file));
  if (names.length === 0) throw new Error(`No ${name} in ${url}`);
  return names.map((file) => Deno.readFileSync(new URL(file, url)));
}
