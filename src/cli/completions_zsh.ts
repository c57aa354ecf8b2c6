import type { CompletedCommand, CompletedOption } from "./completion_spec.ts";

/** The completions for zsh, for a folder of `fpath` or to be sourced. */
export function zshCompletions(
  program: string,
  commands: readonly CompletedCommand[],
): string {
  const name = `_${program.replace(/\W/g, "_")}`;
  const described = commands.map((command) =>
    `    ${quoted(`${command.name}:${command.summary}`)}`
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
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const first = words.length === 0
    ? []
    : [quoted(`1:what:(${words.join(" ")})`)];
  const specs = [...options.map(optionSpec), ...first, quoted("*:file:_files")];
  return `  ${name})
    _arguments \\
      ${specs.join(" \\\n      ")}
    ;;`;
}

function optionSpec({ flag, takes, words, help }: CompletedOption): string {
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
  return quoted(`*${flag}[${text}]${values}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
