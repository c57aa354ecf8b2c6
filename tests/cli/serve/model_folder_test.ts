import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ModelFile } from "../../../src/cli/serve/engine_messages.ts";
import {
  ModelFolder,
  type ModelLoader,
} from "../../../src/cli/serve/model_folder.ts";
import type { TakenModel } from "../../../src/cli/serve/model_source.ts";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { fakeModel } from "./fake_service.ts";

const { signal } = new AbortController();

/** A loader that keeps what files of 50 bytes say, 100 each, and no broken ones. */
class FakeLoader implements ModelLoader {
  readonly log: string[] = [];
  readonly held = new Map<string, string>();
  most = 0;
  gate: Promise<void> = Promise.resolve();

  async load({ name, path }: ModelFile) {
    await this.gate;
    const text = (await Deno.readTextFile(path)).trim();
    if (text === "broken") throw new Error(`Cannot read "${path}"`);
    this.log.push(`+${text}`);
    this.held.set(name, text);
    this.most = Math.max(this.most, this.held.size);
    const info = { ...fakeModel(name), software_version: text };
    return { info, bytes: 100 };
  }

  unload(key: string): Promise<void> {
    this.log.push(`-${this.held.get(key)}`);
    this.held.delete(key);
    return Promise.resolve();
  }
}

async function withFolder(
  work: (parts: {
    readonly folder: ModelFolder;
    readonly loader: FakeLoader;
    /** Replaces a model's file as programs do: in one step. */
    readonly write: (name: string, text: string) => Promise<void>;
    readonly path: string;
    readonly errors: Error[];
  }) => Promise<void>,
  memory = 250,
): Promise<void> {
  const path = await Deno.makeTempDir();
  const errors: Error[] = [];
  const loader = new FakeLoader();
  const folder = new ModelFolder({
    ...{ folder: path, memory, loader },
    onError: (error) => errors.push(error),
  });
  const write = async (name: string, text: string): Promise<void> => {
    await Deno.writeTextFile(`${path}/.new`, text.padEnd(50));
    await Deno.rename(`${path}/.new`, `${path}/${name}.safetensors`);
  };
  try {
    await work({ folder, loader, write, path, errors });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** The text of a model's file, as a request of a moment sees it. */
async function textOf(folder: ModelFolder, name: string): Promise<string> {
  using model = await folder.take(name, signal);
  assertEquals(model.info.name, name);
  assertEquals(folder.info(model.key), model.info);
  return model.info.software_version;
}

Deno.test("ModelFolder loads what is asked for, and frees what was not used for longest", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    for (const name of ["a", "b", "c"]) await write(name, name);
    assertEquals(await folder.list(), [
      { name: "a", loaded: false },
      { name: "b", loaded: false },
      { name: "c", loaded: false },
    ]);
    for (const name of "abac") assertEquals(await textOf(folder, name), name);
    assertEquals(loader.log, ["+a", "+b", "-b", "+c"]);
    assertEquals(folder.loaded, { models: 2, bytes: 200 });
    const loaded = (await folder.list()).map(({ loaded }) => loaded);
    assertEquals(loaded, [true, false, true]);
    assertEquals(loader.most, 2);
  });
});

Deno.test("ModelFolder loads a model once for all that wait for it", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    await write("a", "a");
    const texts = Array.from({ length: 9 }, () => textOf(folder, "a"));
    assertEquals(new Set(await Promise.all(texts)), new Set(["a"]));
    assertEquals(loader.log, ["+a"]);
  });
});

Deno.test("ModelFolder waits for a model that a request holds, and frees none of those", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    for (const name of ["a", "b", "c"]) await write(name, name);
    const held = [await folder.take("a", signal)];
    held.push(await folder.take("b", signal));
    let isThere = false;
    const third = folder.take("c", signal).then((model) => {
      isThere = true;
      return model;
    });
    // Nothing but a release lets it go on.
    for (let i = 0; i < 50; i++) await new Promise((next) => setTimeout(next));
    assert(!isThere);
    held[1]![Symbol.dispose]();
    using _third = await third;
    assertEquals(loader.log, ["+a", "+b", "-b", "+c"]);
    held[0]![Symbol.dispose]();
  });
});

Deno.test("ModelFolder answers from a file that was replaced, and from the old one those that began with it", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    await write("a", "old");
    const old: TakenModel = await folder.take("a", signal);
    await write("a", "newer");
    assertEquals(await textOf(folder, "a"), "newer");
    assertEquals(folder.info(old.key).software_version, "old");
    assertEquals([...loader.held.values()], ["old", "newer"]);
    old[Symbol.dispose]();
    assertEquals(await textOf(folder, "a"), "newer");
    assertEquals([...loader.held.values()], ["newer"]);
  });
});

Deno.test("ModelFolder goes on with the old model where the new file is broken", async () => {
  await withFolder(async ({ folder, write, errors, path }) => {
    await write("a", "old");
    assertEquals(await textOf(folder, "a"), "old");
    await write("a", "broken");
    assertEquals(await textOf(folder, "a"), "old");
    assertEquals(await textOf(folder, "a"), "old");
    assertEquals(errors.length, 1);
    await write("a", "mended");
    assertEquals(await textOf(folder, "a"), "mended");
    await write("b", "broken");
    const error = await assertRejects(
      () => folder.take("b", signal),
      HttpProblem,
      'Model "b" cannot be loaded',
    );
    assertEquals([error.status, error.message.includes(path)], [503, false]);
  });
});

Deno.test("ModelFolder knows no files outside, hidden ones or such that are gone", async () => {
  await withFolder(async ({ folder, write, path }) => {
    await write("a", "a");
    for (const name of ["../a", ".a", "", "a/b", "b", "a\0"]) {
      assertEquals(await folder.has(name), false, name);
    }
    assertEquals(await textOf(folder, "a"), "a");
    await Deno.remove(`${path}/a.safetensors`);
    const gone = await assertRejects(
      () => folder.take("a", signal),
      HttpProblem,
    );
    assertEquals(gone.status, 404);
  });
});

Deno.test("ModelFolder lets a request go whose time is up while its model is loaded", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    await write("a", "a");
    const gate = Promise.withResolvers<void>();
    loader.gate = gate.promise;
    const request = new AbortController();
    const taken = folder.take("a", request.signal);
    const refused = assertRejects(() => taken, Error, "late");
    for (let i = 0; i < 20; i++) await new Promise((next) => setTimeout(next));
    request.abort(new Error("late"));
    await refused;
    gate.resolve();
    assertEquals(await textOf(folder, "a"), "a");
    assertEquals(loader.log, ["+a"]);
  });
});

Deno.test("ModelFolder loads anew after the device was lost", async () => {
  await withFolder(async ({ folder, loader, write }) => {
    await write("a", "a");
    assertEquals(await textOf(folder, "a"), "a");
    folder.forget();
    assertEquals(folder.loaded, { models: 0, bytes: 0 });
    assertEquals(await textOf(folder, "a"), "a");
    assertEquals(loader.log, ["+a", "+a"]);
  });
});
