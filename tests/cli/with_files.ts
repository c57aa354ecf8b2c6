/** Runs `fn` in a new folder that holds the given files, then removes it. */
export async function withFiles(
  files: readonly string[],
  fn: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const file of files) {
      const path = `${root}/${file}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(path, file);
    }
    await fn(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
