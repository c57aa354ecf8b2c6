import { ARCHITECTURES, KNOWN_WEIGHTS } from "../core/weights.ts";
import type { Command } from "./command.ts";
import { DEMO_BACKBONE } from "./load_backbone.ts";
import { flagName, type Option } from "./options.ts";

/** What follows an option. */
type Takes = "nothing" | "a word" | "a file" | "something";

/** An option as completion scripts need it. */
interface CompletedOption {
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
interface CompletedCommand {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly summary: string;
  /** Its options, `-f` beside `--flag`. */
  readonly options: readonly CompletedOption[];
  /** Words its first argument may be; files otherwise. */
  readonly words: readonly string[];
}

type WriteScript = (
  program: string,
  commands: readonly CompletedCommand[],
) => string;

const WRITERS: ReadonlyMap<string, WriteScript> = new Map([
  ["bash", bashCompletions],
  ["zsh", zshCompletions],
  ["fish", fishCompletions],
]);

/** Shells that there are completions for. */
export const SHELLS: readonly string[] = [...WRITERS.keys()];

/**
 * The script that lets a shell complete command lines of a program.
 *
 * @param shell One of {@linkcode SHELLS}.
 * @param program What the program is called there.
 * @param commands All of its commands.
 */
export function completionScript(
  shell: string,
  program: string,
  commands: readonly Command[],
): string {
  return WRITERS.get(shell)!(program, completionSpec(commands));
}

/** Words that options of these names may have beside paths. */
const VALUE_NAMES: Readonly<Record<string, readonly string[]>> = {
  arch: ARCHITECTURES,
  backbone: [DEMO_BACKBONE, ...KNOWN_WEIGHTS.keys()],
};

const NOTHING = { takes: "nothing", words: [] } as const;

/** All there is to complete of the commands. */
function completionSpec(
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
        ...(flag.startsWith("--no-") ? NOTHING : completedValue(key, option)),
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

function completedValue(
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
      return { takes: "a file", words: VALUE_NAMES[key] ?? [] };
    case "text":
      return { takes: "a file", words: VALUE_NAMES[key] ?? [] };
  }
}

/** The completions for bash, to be sourced. */
function bashCompletions(
  program: string,
  commands: readonly CompletedCommand[],
): string {
  const name = `_${program.replace(/\W/g, "_")}`;
  const names = commands.map((command) => command.name);
  return `# Completions of ${program} for bash
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" words=""
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    words="${[...names, "--help", "--version"].join(" ")}"
  else
    case "$command $before" in
${commands.flatMap(bashValues).join("\n")}
    *)
      case "$command" in
${commands.map(bashCommand).join("\n")}
      esac
      ;;
    esac
  fi
  if [[ -n "$words" ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -o default -F ${name} ${program}
`;
}

/** What follows an option; nothing to say lets bash complete files. */
function bashValues({ name, options }: CompletedCommand): string[] {
  return options.filter(({ takes }) => takes !== "nothing").map((option) => {
    const files = option.takes === "a file" && option.words.length > 0
      ? '\n      mapfile -t COMPREPLY < <(compgen -f -- "$current"; compgen -W "$words" -- "$current")\n      return'
      : "";
    return `    "${name} ${option.flag}") words="${
      option.words.join(" ")
    }"${files} ;;`;
  });
}

function bashCommand({ name, options, words }: CompletedCommand): string {
  const flags = options.map(({ flag }: CompletedOption) => flag).join(" ");
  const first = words.length === 0
    ? ""
    : `\n        [[ $COMP_CWORD -eq 2 ]] && words="${words.join(" ")}"`;
  return `      ${name})${first}
        [[ "$current" == -* ]] && words="${flags}"
        ;;`;
}

/** The completions for zsh, for a folder of `fpath` or to be sourced. */
function zshCompletions(
  program: string,
  commands: readonly CompletedCommand[],
): string {
  const name = `_${program.replace(/\W/g, "_")}`;
  const described = commands.map((command) =>
    `    ${zshQuoted(`${command.name}:${command.summary}`)}`
  );
  return `#compdef ${program}
# Completions of ${program} for zsh
${name}() {
  local -a commands
  commands=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(zshCommand).join("\n")}
  esac
}
if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

function zshCommand({ name, options, words }: CompletedCommand): string {
  const first = words.length === 0
    ? []
    : [zshQuoted(`1:what:(${words.join(" ")})`)];
  const specs = [
    ...options.map(zshOption),
    ...first,
    zshQuoted("*:file:_files"),
  ];
  return `  ${name})
    _arguments \\
      ${specs.join(" \\\n      ")}
    ;;`;
}

function zshOption({ flag, takes, words, help }: CompletedOption): string {
  const text = help.replace(/[\\[\]]/g, "\\$&");
  const list = `(${words.join(" ")})`;
  const values = takes === "nothing"
    ? ""
    : takes === "a file" && words.length > 0
    ? `:value:{ _alternative "words:name:${list}" "files:file:_files" }`
    : takes === "a file"
    ? ":file:_files"
    : words.length > 0
    ? `:value:${list}`
    : ":value: ";
  return zshQuoted(`*${flag}[${text}]${values}`);
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The completions for fish, to be sourced or put where fish looks. */
function fishCompletions(
  program: string,
  commands: readonly CompletedCommand[],
): string {
  const complete = `complete -c ${program}`;
  const lines = commands.flatMap(({ name, summary, options, words }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const first = words.length === 0 ? [] : [
      `${complete} -n '__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq 2' -f -a ${
        fishQuoted(words.join(" "))
      }`,
    ];
    return [
      `${complete} -n __fish_use_subcommand -f -a ${name} -d ${
        fishQuoted(summary)
      }`,
      ...first,
      ...options.map((option) => `${complete} ${seen} ${fishOption(option)}`),
    ];
  });
  return `# Completions of ${program} for fish
${complete} -n __fish_use_subcommand -f -l help -d 'print the commands'
${complete} -n __fish_use_subcommand -f -l version -d 'print the version'
${lines.join("\n")}
`;
}

function fishOption({ flag, takes, words, help }: CompletedOption): string {
  const name = flag.startsWith("--")
    ? `-l ${flag.slice(2)}`
    : `-s ${flag.slice(1)}`;
  const value = takes === "nothing"
    ? []
    : takes === "a file"
    ? ["-r", "-F"]
    : ["-x"];
  const list = words.length === 0 ? [] : [`-a ${fishQuoted(words.join(" "))}`];
  return [name, ...value, ...list, `-d ${fishQuoted(help)}`].join(" ");
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
