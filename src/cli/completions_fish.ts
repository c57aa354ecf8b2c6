import type { CompletedCommand, CompletedOption } from "./completion_spec.ts";

/** The completions for fish, to be sourced or put where fish looks. */
export function fishCompletions(
  program: string,
  commands: readonly CompletedCommand[],
): string {
  const complete = `complete -c ${program}`;
  const lines = commands.flatMap(({ name, summary, options, words }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const first = words.length === 0 ? [] : [
      `${complete} -n '__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq 2' -f -a ${
        quoted(words.join(" "))
      }`,
    ];
    return [
      `${complete} -n __fish_use_subcommand -f -a ${name} -d ${
        quoted(summary)
      }`,
      ...first,
      ...options.map((option) => `${complete} ${seen} ${optionWords(option)}`),
    ];
  });
  return `# Completions of ${program} for fish
${complete} -n __fish_use_subcommand -f -l help -d 'print the commands'
${complete} -n __fish_use_subcommand -f -l version -d 'print the version'
${lines.join("\n")}
`;
}

function optionWords({ flag, takes, words, help }: CompletedOption): string {
  const name = flag.startsWith("--")
    ? `-l ${flag.slice(2)}`
    : `-s ${flag.slice(1)}`;
  const value = takes === "nothing"
    ? []
    : takes === "a file"
    ? ["-r", "-F"]
    : ["-x"];
  const list = words.length === 0 ? [] : [`-a ${quoted(words.join(" "))}`];
  return [name, ...value, ...list, `-d ${quoted(help)}`].join(" ");
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
