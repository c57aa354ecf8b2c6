/**
 * A JSR registry on loopback, to try a release before it is one: takes what
 * `deno publish` sends and hands it out as jsr.io does.
 *
 *     deno run -A tools/jsr_registry.ts
 *
 * publishes this package to it, prints what `JSR_URL` has to be, and goes on
 * until it is interrupted.
 *
 * @module
 */
import { readTar } from "./tar.ts";

const ROOT = new URL("../", import.meta.url);
/** What the package needs from the registry beside itself. */
const COMPANIONS = ["tools/std/assert/", "tools/std/cli/"];

/** A package's files by path, the first character a slash. */
type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What `deno.json` says of a package. */
interface PackageConfig {
  readonly name: string;
  readonly version: string;
  readonly exports: string | Readonly<Record<string, string>>;
}

/** What the registry tells of one version. */
interface VersionMeta {
  readonly manifest: Readonly<
    Record<string, { readonly size: number; readonly checksum: string }>
  >;
  readonly exports: Readonly<Record<string, string>>;
  readonly moduleGraph2: Readonly<Record<string, ModuleInfo>>;
}

interface Release {
  readonly files: Files;
  readonly meta: VersionMeta;
}

/** A registry that holds packages in memory. */
export class JsrRegistry implements AsyncDisposable {
  readonly #releases = new Map<string, Map<string, Release>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** An empty registry on a port that is free. */
  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** What `JSR_URL` has to be. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Takes a package as it lies in a folder, without its tests. */
  async add(folder: URL): Promise<void> {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (!isFile || name.endsWith("_test.ts")) continue;
      files.set(`/${name}`, await Deno.readFile(new URL(name, folder)));
    }
    const config = JSON.parse(
      new TextDecoder().decode(files.get("/deno.json")),
    );
    await this.#release(config, files);
  }

  /** Has `deno publish` send a package from its folder. */
  async publish(folder: URL): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["publish", "--allow-dirty", "--no-check", "--token", "loopback"],
        cwd: folder,
        env: { JSR_URL: this.url, NO_COLOR: "1" },
      },
    ).output();
    const text = new TextDecoder();
    const told = text.decode(stdout) + text.decode(stderr);
    if (!success) throw new Error(`Cannot publish "${folder}": ${told}`);
    return told;
  }

  async #release(config: PackageConfig, files: Files): Promise<void> {
    const { name, version, exports } = config;
    const versions = this.#releases.getOrInsert(name, new Map());
    versions.set(version, {
      files,
      meta: {
        manifest: await manifestOf(files),
        exports: typeof exports === "string" ? { ".": exports } : exports,
        moduleGraph2: await moduleGraphOf(files),
      },
    });
  }

  async #answer(request: Request): Promise<Response> {
    const path = decodeURIComponent(new URL(request.url).pathname);
    if (path.startsWith("/api/")) return await this.#manage(path, request);
    const [, name = "", rest = ""] = /^\/(@[^/]+\/[^/]+)\/(.*)$/.exec(path) ??
      [];
    const versions = this.#releases.get(name);
    if (versions === undefined) return notFound(path);
    if (rest === "meta.json") return Response.json(packageMeta(name, versions));
    const [, described] = /^([^/]+)_meta\.json$/.exec(rest) ?? [];
    if (described !== undefined) {
      const release = versions.get(described);
      return release ? Response.json(release.meta) : notFound(path);
    }
    const [, version = "", file = ""] = /^([^/]+)(\/.*)$/.exec(rest) ?? [];
    const bytes = versions.get(version)?.files.get(file);
    return bytes === undefined
      ? notFound(path)
      : new Response(bytes, { headers: { "content-type": typeOf(file) } });
  }

  /** What `deno publish` asks for: whether a package is known, and to take it. */
  async #manage(path: string, request: Request): Promise<Response> {
    const [, scope, name, version] =
      /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/
        .exec(path) ?? [];
    if (scope === undefined) return notFound(path);
    if (version === undefined) {
      return Response.json({ scope, name, latestVersion: null });
    }
    if (request.method !== "POST" || request.body === null) {
      return notFound(path); // no version is there twice
    }
    const tar = request.body.pipeThrough(new DecompressionStream("gzip"));
    const files = new Map(
      readTar(await new Response(tar).bytes()).map(({ path, bytes }) => [
        `/${path.replace(/^\.?\//, "")}`,
        bytes,
      ]),
    );
    const config = JSON.parse(
      new TextDecoder().decode(files.get("/deno.json")),
    );
    await this.#release(config, files);
    return Response.json({ id: `${scope}-${name}`, status: "success" });
  }

  /** Stops the registry. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A registry with this package, published, and what it needs. */
export async function registryWithPackage(): Promise<JsrRegistry> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(new JsrRegistry());
  for (const folder of COMPANIONS) await registry.add(new URL(folder, ROOT));
  await registry.publish(ROOT);
  stack.move();
  return registry;
}

function packageMeta(
  name: string,
  versions: ReadonlyMap<string, Release>,
): Record<string, unknown> {
  const [scope, short] = name.slice(1).split("/");
  return {
    scope,
    name: short,
    latest: [...versions.keys()].at(-1),
    versions: Object.fromEntries([...versions.keys()].map((key) => [key, {}])),
  };
}

function typeOf(file: string): string {
  if (/\.m?ts$/.test(file)) return "text/typescript";
  if (/\.m?js$/.test(file)) return "text/javascript";
  if (file.endsWith(".json")) return "application/json";
  return "application/octet-stream";
}

function notFound(path: string): Response {
  const problem = { code: "notFound", message: `There is no "${path}"` };
  return Response.json(problem, { status: 404 });
}

async function manifestOf(files: Files): Promise<VersionMeta["manifest"]> {
  const entries = [...files].map(async ([path, bytes]) => {
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const checksum = `sha256-${new Uint8Array(digest).toHex()}`;
    return [path, { size: bytes.length, checksum }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** A place in a text: line and character, from 0. */
type Position = readonly [number, number];
type Range = readonly [Position, Position];

/** A module as Deno's graph has it in a registry. */
interface ModuleInfo {
  readonly dependencies: readonly Record<string, unknown>[];
}

/** A module as `deno info --json` tells of it. */
interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly span: InfoSpan };
    readonly type?: { readonly span: InfoSpan };
    readonly isDynamic?: boolean;
    readonly assertionType?: string;
  }[];
}

interface InfoSpan {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** What every module imports, as Deno itself tells. */
async function moduleGraphOf(
  files: Files,
): Promise<Readonly<Record<string, ModuleInfo>>> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [path, bytes] of files) {
      const file = `${folder}${path}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeFile(file, bytes);
    }
    const modules = [...files.keys()].filter((path) => path.endsWith(".ts"));
    const all = modules.map((path) => `import ".${path}";`).join("\n");
    await Deno.writeTextFile(`${folder}/all_modules.ts`, all);
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          ...["info", "--json", "--no-config", "--no-lock", "--no-remote"],
          "all_modules.ts",
        ],
        cwd: folder,
      },
    ).output();
    if (!success) {
      throw new Error(
        `Cannot tell what modules import: ${new TextDecoder().decode(stderr)}`,
      );
    }
    const info: { modules: readonly InfoModule[] } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    const root = new URL(`file://${folder}/`).href;
    return Object.fromEntries(
      info.modules.filter(({ specifier }) => specifier.startsWith(root))
        .map((module) => [`/${module.specifier.slice(root.length)}`, module])
        .filter(([path]) => files.has(path as string))
        .map(([path, module]) => [path, moduleInfo(module as InfoModule)]),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function moduleInfo({ dependencies = [] }: InfoModule): ModuleInfo {
  return {
    dependencies: dependencies.map((dependency) => {
      const { specifier, code, type, isDynamic, assertionType } = dependency;
      const range = rangeOf((code ?? type)!.span);
      const attributes = assertionType && {
        importAttributes: { known: { type: assertionType } },
      };
      return isDynamic
        ? {
          type: "dynamic",
          argument: specifier,
          argumentRange: range,
          ...attributes,
        }
        : {
          type: "static",
          kind: code ? "import" : "importType",
          specifier,
          specifierRange: range,
          ...attributes,
        };
    }),
  };
}

function rangeOf({ start, end }: InfoSpan): Range {
  return [[start.line, start.character], [end.line, end.character]];
}

if (import.meta.main) {
  const registry = await registryWithPackage();
  console.log(`JSR_URL=${registry.url}`);
}
