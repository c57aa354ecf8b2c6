/**
 * Runs the examples in documentation comments. Deno's checks for leaks are off:
 * an example ends as users end it, with mappings of GPU buffers that Deno
 * settles some milliseconds later.
 *
 *     deno task test:doc [FILE…]
 */
const root = new URL("../", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
const files = Deno.args.length > 0
  ? Deno.args
  : Object.values<string>(config.exports).flatMap((file) =>
    file === "./mod.ts" ? file : file.replace(/\/mod\.ts$/, "")
  );
const path = await Deno.makeTempFile({
  dir: root.pathname,
  prefix: "deno.tmp-",
  suffix: ".json",
});
let code: number;
try {
  const { test: _, ...rest } = config;
  await Deno.writeTextFile(path, JSON.stringify(rest));
  ({ code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--doc", "--quiet", "--config", path, ...files],
    cwd: root,
  }).spawn().status);
} finally {
  await Deno.remove(path);
}
Deno.exit(code);
