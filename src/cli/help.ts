import { expectation } from "./args.ts";
import { flagName, type Option, type Options, type Syntax } from "./options.ts";

/** How the program is started, as help and messages show it. */
export const PROGRAM: string = programAt(import.meta.url);

/**
 * How the program is started where a file of `src/cli` has this address: in a
 * checkout, in a JSR registry, on another server.
 */
export function programAt(address: string): string {
  if (address.startsWith("file:")) return "deno run -A mod.ts";
  const [, name] = /\/(@[^/]+\/[^/]+)\/\d[^/]*\/src\//.exec(address) ?? [];
  return `deno run -A ${
    name === undefined ? new URL("../../mod.ts", address) : `jsr:${name}`
  }`;
}

const WIDTH = 80;
const INDENT = 2;
const COLUMN = 28;

const EXIT_CODES = `Exit codes:
  0    all went well
  1    something failed
  2    the command line cannot be understood
  3    anomalous or uncertain images were found and --fail-on-anomaly was given
  130  interrupted by Ctrl-C`;

/** The text of `COMMAND --help`. */
export function commandHelp(syntax: Syntax): string {
  const { name, summary, operands, options, examples } = syntax;
  const required = Object.entries(options).flatMap(([key, option]) =>
    "required" in option ? [` --${flagName(key)} ${option.value}`] : []
  );
  const usage = [
    `Usage: ${PROGRAM} ${name}`,
    operands ? operandUsage(operands) : "",
    ...required,
    " [OPTIONS]",
  ].join("");
  const sections = [
    `${usage}\n\n${summary}.`,
    operands ? section("Arguments", [[operands.name, operands.help]]) : "",
    section("Options", optionRows(options)),
    `Examples:\n${
      examples.map(([line, meaning]) =>
        `  # ${meaning}\n  ${PROGRAM} ${name} ${line}`
      ).join("\n")
    }`,
    EXIT_CODES,
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

/** The text of `--help` without a command. */
export function programHelp(
  commands: readonly { readonly name: string; readonly summary: string }[],
  version: string,
): string {
  const rows = commands.map(({ name, summary }): [string, string] => [
    name,
    summary,
  ]);
  return [
    `Usage: ${PROGRAM} COMMAND [ARGUMENTS] [OPTIONS]`,
    `PatchCore ${version}: learns from images of good parts, finds what is different.`,
    section("Commands", rows),
    `COMMAND --help explains a command, --version prints the version.`,
    EXIT_CODES,
  ].join("\n\n") + "\n";
}

function operandUsage(
  { name, min, max }: { name: string; min: number; max?: number },
): string {
  const text = max === 1 ? name : `${name}…`;
  return min === 0 ? ` [${text}]` : ` ${text}`;
}

function optionRows(options: Options): [string, string][] {
  return Object.entries(options).map(([key, option]) => {
    const flag = flagName(key);
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const negatable = "negatable" in option && option.negatable
      ? `, --no-${flag}`
      : "";
    const value = placeholder(option);
    const left = `${short}--${flag}${value && ` ${value}`}${negatable}`;
    return [left, option.help + detail(option)];
  });
}

function placeholder(option: Option): string {
  switch (option.kind) {
    case "flag":
      return "";
    case "text":
    case "list":
      return option.value;
    case "choice":
      return option.choices.join("|");
    case "number":
    case "integer":
      return [option.value ?? "N", ...option.words ?? []].join("|");
  }
}

function detail(option: Option): string {
  const parts: string[] = [];
  if (option.kind === "number" || option.kind === "integer") {
    if (option.min !== undefined || option.max !== undefined || option.unit) {
      parts.push(expectation(option));
    }
  }
  if (option.kind === "list" && option.choices) {
    parts.push(`of ${option.choices.join(", ")}`);
  }
  if ("fallback" in option && option.fallback !== undefined) {
    parts.push(`default: ${option.fallback}`);
  } else if ("default" in option && option.default !== undefined) {
    parts.push(`default: ${option.default}`);
  } else if ("required" in option) {
    parts.push("required");
  }
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

function section(
  title: string,
  rows: readonly (readonly [string, string])[],
): string {
  const lines = rows.map(([left, right]) => {
    const head = " ".repeat(INDENT) + left;
    const body = wrap(right, WIDTH - COLUMN)
      .map((line) => " ".repeat(COLUMN) + line);
    return head.length < COLUMN - 1
      ? head + body.join("\n").slice(head.length)
      : `${head}\n${body.join("\n")}`;
  });
  return `${title}:\n${lines.join("\n")}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
