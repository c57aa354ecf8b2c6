import { ARCHITECTURES, KNOWN_WEIGHTS } from "../core/weights.ts";
import type { Command } from "./command.ts";
import { DEMO_BACKBONE } from "./demo_backbone.ts";
import { flagName, type Option } from "./options.ts";

/** What follows an option. */
export type Takes = "nothing" | "a word" | "a file" | "something";

/** An option as completion scripts need it. */
export interface CompletedOption {
  /** `--flag`, or `-f`. */
  readonly flag: string;
  /** What follows it. */
  readonly takes: Takes;
  /** Words that may follow it. */
  readonly words: readonly string[];
  /** What it does. */
  readonly help: string;
}

/** A command as completion scripts need it. */
export interface CompletedCommand {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly summary: string;
  /** Its options, `-f` beside `--flag`. */
  readonly options: readonly CompletedOption[];
  /** Words its first argument may be; files otherwise. */
  readonly words: readonly string[];
}

/** Words that options of these names may have beside paths. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  arch: ARCHITECTURES,
  backbone: [DEMO_BACKBONE, ...KNOWN_WEIGHTS.keys()],
};

const NOTHING = { takes: "nothing", words: [] } as const;

/** All there is to complete of the commands. */
export function completionSpec(
  commands: readonly Command[],
): readonly CompletedCommand[] {
  return commands.map(({ name, summary, syntax }) => ({
    name,
    summary,
    words: syntax.operands?.words ?? [],
    options: Object.entries(syntax.options).flatMap(([key, option]) =>
      flagsOf(key, option).map((flag) => ({
        flag,
        help: option.help,
        ...(flag.startsWith("--no-") ? NOTHING : valueOf(key, option)),
      }))
    ),
  }));
}

function flagsOf(key: string, option: Option): string[] {
  const flag = flagName(key);
  return [
    `--${flag}`,
    ...("negatable" in option && option.negatable ? [`--no-${flag}`] : []),
    ...(option.short === undefined ? [] : [`-${option.short}`]),
  ];
}

function valueOf(
  key: string,
  option: Option,
): Pick<CompletedOption, "takes" | "words"> {
  switch (option.kind) {
    case "flag":
      return NOTHING;
    case "choice":
      return { takes: "a word", words: option.choices };
    case "number":
    case "integer":
      return { takes: "something", words: option.words ?? [] };
    case "list":
      if (option.choices) return { takes: "a word", words: option.choices };
      return { takes: "a file", words: NAMES[key] ?? [] };
    case "text":
      return { takes: "a file", words: NAMES[key] ?? [] };
  }
}
