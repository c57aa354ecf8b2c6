import { assert } from "@std/assert";

/** An empty folder in which a user works. */
export class UserFolder {
  /** Its path. */
  readonly path: string;
  readonly #env: Readonly<Record<string, string>>;

  /**
   * @param path An empty folder.
   * @param env Variables of all that is run there.
   */
  constructor(path: string, env: Readonly<Record<string, string>>) {
    this.path = path;
    this.#env = env;
  }

  /** Writes a file, its folder as well. */
  async write(name: string, content: string): Promise<void> {
    const file = `${this.path}/${name}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, content);
  }

  /** Reads a file. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.path}/${name}`);
  }

  /** What is known of a file that has to be there. */
  stat(name: string): Promise<Deno.FileInfo> {
    return Deno.stat(`${this.path}/${name}`);
  }

  /** Runs this Deno here, and returns what it printed. */
  deno(...args: string[]): Promise<string> {
    return this.run(Deno.execPath(), ...args);
  }

  /**
   * Runs a program here, and returns what it printed.
   *
   * @throws {AssertionError} If it fails, with all that it said.
   */
  async run(program: string, ...args: string[]): Promise<string> {
    const { success, out, errors } = await this.attempt(program, ...args);
    assert(success, `${program} ${args.join(" ")}\n${out}\n${errors}`);
    return out;
  }

  /** Runs a program here, and returns what it printed, however it ends. */
  async attempt(
    program: string,
    ...args: string[]
  ): Promise<{ success: boolean; out: string; errors: string }> {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: this.path,
      env: { NO_COLOR: "1", ...this.#env },
    }).output();
    const text = new TextDecoder();
    return { success, out: text.decode(stdout), errors: text.decode(stderr) };
  }
}

/**
 * Runs `use` in an empty folder. Deno has a cache of its own there, which holds
 * nothing but the packages of npm that are here already.
 */
export async function inEmptyFolder(
  env: Readonly<Record<string, string>>,
  use: (folder: UserFolder) => Promise<void>,
): Promise<void> {
  const place = await Deno.realPath(await Deno.makeTempDir());
  try {
    const cache = `${place}/cache`;
    await Deno.mkdir(cache);
    const npm = `${await denoCache()}/npm`;
    await Deno.mkdir(npm, { recursive: true });
    await Deno.symlink(npm, `${cache}/npm`);
    await Deno.mkdir(`${place}/user`);
    await use(new UserFolder(`${place}/user`, { DENO_DIR: cache, ...env }));
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function denoCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
