/**
 * As much of `Deno` as tests of kernels and networks use, for browsers: tests
 * are collected and run, files come from the server. A test that needs more
 * counts as skipped, and says so.
 *
 * @module
 */
import type { Outcome } from "./outcome.ts";

/** Thrown where a test uses what a browser has not. */
class NotHere extends Error {
  override name = "NotHere";
}

class NotFound extends Error {
  override name = "NotFound";
}

interface TestDefinition {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: (t: unknown) => void | Promise<void>;
}

const tests: TestDefinition[] = [];

type TestFunction = TestDefinition["fn"];

function test(
  first: string | TestDefinition | TestFunction,
  second?: TestFunction | Omit<TestDefinition, "name" | "fn">,
  third?: TestFunction,
): void {
  if (typeof first === "object") tests.push(first);
  else if (typeof first === "function") {
    tests.push({ name: first.name, fn: first });
  } else if (typeof second === "function") {
    tests.push({ name: first, fn: second });
  } else tests.push({ ...second, name: first, fn: third! });
}

test.ignore = (name: string, fn: TestFunction): void => {
  tests.push({ name, ignore: true, fn });
};

test.each =
  (cases: readonly unknown[]) =>
  (name: string, fn: (...values: unknown[]) => void | Promise<void>): void => {
    cases.forEach((row, index) => {
      const values = Array.isArray(row) ? row : [row];
      tests.push({
        name: filled(name, values, index),
        fn: () => fn(...values),
      });
    });
  };

/** A name with its `%s`, `%j` … filled in. */
function filled(
  name: string,
  values: readonly unknown[],
  index: number,
): string {
  let next = 0;
  return name.replace(/%([sdifjoO#%])/g, (mark, kind) => {
    if (kind === "%") return "%";
    if (kind === "#") return String(index);
    if (next >= values.length) return mark;
    const value = values[next++];
    const isPlain = kind === "s" || typeof value === "string";
    return isPlain ? String(value) : JSON.stringify(value) ?? "undefined";
  });
}

/** Address of a file, or of what the server tells of it. */
function address(path: string | URL, what: string): string {
  const place = path instanceof URL ? path.pathname : path;
  return `/${what}?path=${encodeURIComponent(decodeURIComponent(place))}`;
}

async function fetched(path: string | URL, what: string): Promise<Response> {
  const response = await fetch(address(path, what));
  if (response.ok) return response;
  throw new NotFound(`There is no "${path}"`);
}

/** What is used of a browser's requests that block. */
interface BlockingRequest {
  readonly status: number;
  readonly responseText: string;
  open(method: string, address: string, isAsync: boolean): void;
  overrideMimeType(type: string): void;
  send(): void;
}

const { XMLHttpRequest } = globalThis as unknown as {
  readonly XMLHttpRequest: new () => BlockingRequest;
};

/** Fetches while the page waits: what tests read before they are registered. */
function fetchedNow(path: string | URL, what: string): string {
  const request = new XMLHttpRequest();
  request.open("GET", address(path, what), false);
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status === 200) return request.responseText;
  throw new NotFound(`There is no "${path}"`);
}

function bytesNow(path: string | URL): Uint8Array<ArrayBuffer> {
  const text = fetchedNow(path, "file");
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

const known: Readonly<Record<string, unknown>> = {
  test,
  env: { get: () => undefined },
  errors: { NotFound },
  inspect: (value: unknown) => JSON.stringify(value) ?? String(value),
  readFile: async (path: string | URL) =>
    new Uint8Array(await (await fetched(path, "file")).arrayBuffer()),
  readTextFile: async (path: string | URL) =>
    await (await fetched(path, "file")).text(),
  readFileSync: bytesNow,
  readTextFileSync: (path: string | URL) =>
    new TextDecoder().decode(bytesNow(path)),
  stat: async (path: string | URL) =>
    await (await fetched(path, "stat")).json(),
  statSync: (path: string | URL) => JSON.parse(fetchedNow(path, "stat")),
  readDir: async function* (path: string | URL) {
    yield* await (await fetched(path, "folder")).json();
  },
  readDirSync: (path: string | URL) => JSON.parse(fetchedNow(path, "folder")),
};

Object.defineProperty(globalThis, "Deno", {
  value: new Proxy(known, {
    get(target, name) {
      if (name in target) return target[name as string];
      throw new NotHere(`Deno.${String(name)}`);
    },
  }),
  // `"Deno" in globalThis` is how the package tells where it is.
  enumerable: false,
});

/** Runs the tests of a file and tells how they went. */
async function runTests(file: string): Promise<Outcome[]> {
  await import(file);
  const outcomes: Outcome[] = [];
  for (const { name, ignore = false, fn } of tests) {
    await run(name, ignore, fn, outcomes);
  }
  return outcomes;
}

/** Runs a test and its steps, which count as tests, too. */
async function run(
  name: string,
  ignore: boolean,
  fn: TestFunction,
  outcomes: Outcome[],
): Promise<boolean> {
  if (ignore) {
    outcomes.push({ name, kind: "skipped" });
    return true;
  }
  const steps: Outcome[] = [];
  const step = async (
    first: string | TestDefinition,
    second?: TestFunction,
  ): Promise<boolean> => {
    const { name: own, ignore = false, fn } = typeof first === "string"
      ? { name: first, fn: second! }
      : first;
    return await run(`${name} > ${own}`, ignore, fn, steps);
  };
  let outcome: Outcome = { name, kind: "passed" };
  try {
    await fn({ name, step });
    if (steps.some(({ kind }) => kind === "failed")) {
      outcome = { name, kind: "failed", why: "A step failed" };
    }
  } catch (error) {
    const what = error instanceof Error ? error.stack : error;
    outcome = error instanceof NotHere
      ? { name: `${name} (needs ${error.message})`, kind: "skipped" }
      : { name, kind: "failed", why: String(what) };
  }
  outcomes.push(outcome, ...steps);
  return outcome.kind === "passed";
}

Object.assign(globalThis, { runTests });
