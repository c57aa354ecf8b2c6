import { parseArgs } from "jsr:@std/cli@^1.0.0/parse-args";
import { UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";
import {
  flagName,
  type ListOption,
  type NumberOption,
  type Option,
  type Options,
  type Syntax,
  type Values,
} from "./options.ts";

/** A command line as its command's syntax understands it. */
interface Parsed<O extends Options> {
  /** The arguments that are no options. */
  readonly operands: readonly string[];
  /** The options' values, defaults included. */
  readonly values: Values<O>;
}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  json: {
    kind: "flag",
    help: "print JSON lines on stdout and nothing else there",
  },
  quiet: {
    kind: "flag",
    short: "q",
    help: "no progress, no messages but warnings and errors",
  },
  help: { kind: "flag", short: "h", help: "print this text" },
} as const satisfies Options;

/**
 * Reads the arguments of a command.
 *
 * @param argv What follows the command's name.
 * @throws {UsageError} If an option is unknown, lacks its value or has one
 * that is not allowed, or operands are missing or too many.
 */
export function readArgs<O extends Options>(
  argv: readonly string[],
  syntax: Syntax<O>,
): Parsed<O> {
  const entries = Object.entries<Option>(syntax.options);
  const flags = entries.filter(([, option]) => option.kind === "flag");
  const valued = entries.filter(([, option]) => option.kind !== "flag");
  const names = (some: [string, Option][]) =>
    some.map(([key]) => flagName(key));
  refuseValuesOfFlags(argv, names(flags));
  const parsed: Record<string, unknown> = parseArgs([...argv], {
    boolean: names(flags),
    string: [...names(valued), "_"],
    collect: names(entries.filter(([, { kind }]) => kind === "list")),
    negatable: names(
      entries.filter(([, option]) => "negatable" in option && option.negatable),
    ),
    alias: Object.fromEntries(
      entries.flatMap(([key, { short }]) =>
        short === undefined ? [] : [[flagName(key), short]]
      ),
    ),
    unknown: (argument: string, key?: string) => {
      if (key === undefined) return true;
      throw unknownOption(argument, key, entries);
    },
  });
  const operands = (parsed["_"] as (string | number)[]).map(String);
  const values = Object.fromEntries(
    entries.map(([key, option]) => [
      key,
      valueOf(`--${flagName(key)}`, option, parsed[flagName(key)]),
    ]),
  );
  if (values["help"] !== true) {
    checkRequired(entries, values);
    checkOperands(operands, syntax);
  }
  return { operands, values: values as Values<O> };
}

function refuseValuesOfFlags(
  argv: readonly string[],
  flags: readonly string[],
): void {
  for (const argument of argv) {
    if (argument === "--") return;
    const [, name] = /^--([^=]+)=/.exec(argument) ?? [];
    if (name !== undefined && flags.includes(name)) {
      throw new UsageError(`Option --${name} takes no value`);
    }
  }
}

function unknownOption(
  argument: string,
  key: string,
  entries: readonly [string, Option][],
): UsageError {
  const dashes = argument.startsWith("--") ? "--" : "-";
  const known = entries.flatMap(([name, option]) =>
    "negatable" in option && option.negatable
      ? [`--${flagName(name)}`, `--no-${flagName(name)}`]
      : [`--${flagName(name)}`]
  );
  return new UsageError(
    `Unknown option "${dashes}${key}"${didYouMean(`--${key}`, known)}`,
  );
}

function valueOf(name: string, option: Option, raw: unknown): unknown {
  if (option.kind === "flag") return raw === true;
  if (option.kind === "list") return listOf(name, option, raw as string[]);
  if (raw === undefined) return "default" in option ? option.default : raw;
  if (raw === false) return false;
  const text = String(raw);
  if (text === "") throw missingValue(name);
  switch (option.kind) {
    case "text":
      return text;
    case "choice":
      return choiceOf(name, option.choices, text);
    case "number":
    case "integer":
      return numberOf(name, option, text);
  }
}

function listOf(
  name: string,
  option: ListOption,
  raw: readonly string[],
): string[] | undefined {
  if (raw.length === 0) return undefined;
  const words = option.whole
    ? raw
    : raw.flatMap((text) => text.split(",")).map((word) => word.trim());
  if (words.includes("")) throw missingValue(name);
  const { choices } = option;
  return choices
    ? words.map((word) => choiceOf(name, choices, word))
    : [...words];
}

function choiceOf(
  name: string,
  choices: readonly string[],
  text: string,
): string {
  if (choices.includes(text)) return text;
  throw new UsageError(
    `Cannot use ${name} "${text}": expected ${choices.join(" or ")}${
      didYouMean(text, choices)
    }`,
  );
}

function numberOf(
  name: string,
  option: NumberOption,
  text: string,
): number | string {
  if (option.words?.includes(text)) return text;
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)
    ? Number(text)
    : NaN;
  const { min = -Infinity, max = Infinity } = option;
  const fits = value >= min && value <= max &&
    !(option.above && value === min) &&
    (option.kind === "number" || Number.isSafeInteger(value));
  if (fits && Number.isFinite(value)) return value;
  throw new UsageError(
    `Cannot use ${name} "${text}": expected ${expectation(option)}`,
  );
}

/** What a number option accepts, e.g. `an integer from 1 to 8, or none`. */
export function expectation(option: NumberOption): string {
  const { min, max, kind, unit, words = [] } = option;
  const what = kind === "integer" ? "an integer" : "a number";
  const from = min === undefined
    ? ""
    : option.above
    ? ` above ${min}`
    : max === undefined
    ? ` of at least ${min}`
    : ` from ${min}`;
  const to = max === undefined
    ? ""
    : min === undefined
    ? ` of at most ${max}`
    : option.above
    ? ` and at most ${max}`
    : ` to ${max}`;
  const range = `${what}${from}${to}${unit ? `, in ${unit}` : ""}`;
  return words.length === 0 ? range : `${range}, or ${words.join(" or ")}`;
}

function missingValue(name: string): UsageError {
  return new UsageError(
    `Option ${name} needs a value; write ${name}=VALUE for one that starts with a dash`,
  );
}

function checkRequired(
  entries: readonly [string, Option][],
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [key, option] of entries) {
    if (!("required" in option) || values[key] !== undefined) continue;
    throw new UsageError(
      `Option --${flagName(key)} ${option.value} is missing: ${option.help}`,
    );
  }
}

function checkOperands(operands: readonly string[], syntax: Syntax): void {
  const { name, help, min, max = Infinity } = syntax.operands ??
    { name: "", help: "", min: 0, max: 0 };
  if (operands.length < min) {
    throw new UsageError(`${name} missing: expected ${help}`);
  }
  if (operands.length > max) {
    throw new UsageError(
      `Unexpected argument "${operands[max]}"${
        max === 0 ? "" : `: expected at most ${max} ${name}`
      }`,
    );
  }
}
