/** What {@linkcode parseArgs} returns: every option by name, positionals in `_`. */
export interface Args {
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
  /** Arguments that belong to no option. */
  _: (string | number)[];
}

/** How {@linkcode parseArgs} reads arguments. */
export interface ParseOptions {
  /** Collects what follows `--` in the result's `"--"` instead of `_`. */
  "--"?: boolean;
  /** Other names of options; all names get the value. */
  alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Options without a value; `true` for all that have no `=`. */
  boolean?: boolean | string | readonly string[];
  /** Options that may be repeated; their value is an array. */
  collect?: string | readonly string[];
  /** Values of options that are not given. */
  default?: Readonly<Record<string, unknown>>;
  /** Options that `--no-NAME` sets to false. */
  negatable?: string | readonly string[];
  /** Whether everything from the first positional on is positional. */
  stopEarly?: boolean;
  /** Options whose value stays text; `"_"` means the positionals. */
  string?: string | readonly string[];
  /** Called for all that is undeclared; returning false drops it. */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/**
 * Reads command line arguments.
 *
 * Undeclared options take the next argument as their value unless it starts
 * with a dash; values that look like numbers become numbers unless declared
 * as text.
 *
 * @param args The arguments, e.g. `Deno.args`.
 */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions = {},
): Args {
  const parser = new Parser(options);
  parser.read(args);
  return parser.finish();
}

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #result: Args = { _: [] };
  readonly #rest: string[] = [];

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const names = [name, ...list(others)];
      for (const each of names) {
        this.#aliases.set(each, names.filter((other) => other !== each));
      }
    }
    const { boolean } = options;
    this.#booleans = this.#all(typeof boolean === "boolean" ? [] : boolean);
    this.#strings = this.#all(options.string);
    this.#collected = this.#all(options.collect);
    this.#negatable = this.#all(options.negatable);
  }

  read(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (arg === "--") {
        this.#rest.push(...args.slice(i + 1));
        return;
      }
      const next = args[i + 1];
      if (arg.startsWith("--")) {
        if (this.#long(arg, next)) i++;
      } else if (/^-[^-]/.test(arg)) {
        if (this.#short(arg, next)) i++;
      } else {
        this.#positional(arg);
        if (this.#options.stopEarly) {
          this.#result._.push(...args.slice(i + 1));
          return;
        }
      }
    }
  }

  finish(): Args {
    const { default: defaults = {} } = this.#options;
    for (const [name, value] of Object.entries(defaults)) {
      if (!this.#has(name)) this.#store(name, value);
    }
    for (const name of this.#booleans) {
      if (!this.#has(name)) {
        this.#put(name, this.#collected.has(name) ? [] : false);
      }
    }
    for (const name of this.#collected) {
      if (!this.#has(name)) this.#put(name, []);
    }
    if (this.#options["--"]) this.#result["--"] = this.#rest;
    else this.#result._.push(...this.#rest);
    return this.#result;
  }

  /** Reads `--name`, `--name=value` or `--no-name`; true when it took `next`. */
  #long(arg: string, next: string | undefined): boolean {
    const [, name, assigned] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (name === undefined) return false;
    if (assigned !== undefined) {
      this.#set(
        arg,
        name,
        this.#isBoolean(name) ? assigned !== "false" : assigned,
      );
      return false;
    }
    if (name.startsWith("no-") && this.#negatable.has(name.slice(3))) {
      this.#set(arg, name.slice(3), false);
      return false;
    }
    return this.#detached(arg, name, next, this.#options.boolean === true);
  }

  /** Reads `-a`, `-abc`, `-n5`, `-n=5`; true when it took `next`. */
  #short(arg: string, next: string | undefined): boolean {
    const letters = arg.slice(1);
    for (let i = 0; i < letters.length; i++) {
      const name = letters[i]!;
      const tail = letters.slice(i + 1);
      if (tail === "") return this.#detached(arg, name, next, false);
      if (tail.startsWith("=")) {
        this.#set(arg, name, tail.slice(1));
        return false;
      }
      const number = /^-?\d+(\.\d*)?(e-?\d+)?$/.test(tail);
      if (/[A-Za-z]/.test(name) && number || /^\W/.test(tail)) {
        this.#set(arg, name, tail);
        return false;
      }
      this.#set(arg, name, this.#strings.has(name) ? "" : true);
    }
    return false;
  }

  #detached(
    arg: string,
    name: string,
    next: string | undefined,
    allBoolean: boolean,
  ): boolean {
    if (this.#isBoolean(name) || allBoolean) {
      const given = next === "true" || next === "false";
      this.#set(arg, name, given ? next === "true" : true);
      return given;
    }
    if (next !== undefined && !next.startsWith("-")) {
      this.#set(arg, name, next);
      return true;
    }
    this.#set(arg, name, this.#strings.has(name) ? "" : true);
    return false;
  }

  #positional(arg: string): void {
    if (this.#options.unknown?.(arg) === false) return;
    this.#result._.push(this.#strings.has("_") ? arg : number(arg));
  }

  #set(arg: string, name: string, value: string | boolean): void {
    const typed = typeof value === "string" && !this.#strings.has(name)
      ? number(value)
      : value;
    const { unknown } = this.#options;
    if (unknown && !this.#isDeclared(name)) {
      if (unknown(arg, name, typed) === false) return;
    }
    this.#store(name, typed);
  }

  #store(name: string, value: unknown): void {
    for (const each of [name, ...this.#aliases.get(name) ?? []]) {
      const before = this.#get(each);
      if (this.#collected.has(each) && !Array.isArray(value)) {
        this.#put(each, [...Array.isArray(before) ? before : [], value]);
      } else {
        this.#put(each, value);
      }
    }
  }

  #isBoolean(name: string): boolean {
    return this.#booleans.has(name);
  }

  #isDeclared(name: string): boolean {
    return this.#booleans.has(name) || this.#strings.has(name) ||
      this.#collected.has(name) || this.#aliases.has(name);
  }

  #all(names: string | readonly string[] | undefined): Set<string> {
    const all = new Set<string>();
    for (const name of list(names ?? [])) {
      all.add(name);
      for (const other of this.#aliases.get(name) ?? []) all.add(other);
    }
    return all;
  }

  #has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  #get(name: string): unknown {
    let value: unknown = this.#result;
    for (const part of name.split(".")) {
      if (typeof value !== "object" || value === null) return undefined;
      value = Object.hasOwn(value, part)
        ? (value as Record<string, unknown>)[part]
        : undefined;
    }
    return value;
  }

  #put(name: string, value: unknown): void {
    const parts = name.split(".");
    if (parts.includes("__proto__")) return;
    let target: Record<string, unknown> = this.#result;
    for (const part of parts.slice(0, -1)) {
      const inner = Object.hasOwn(target, part) ? target[part] : undefined;
      if (typeof inner !== "object" || inner === null) target[part] = {};
      target = target[part] as Record<string, unknown>;
    }
    target[parts.at(-1)!] = value;
  }
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

function number(text: string): string | number {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  return /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text)
    ? Number(text)
    : text;
}
