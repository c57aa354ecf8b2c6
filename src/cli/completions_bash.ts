import type { CompletedCommand, CompletedOption } from "./completion_spec.ts";

/** The completions for bash, to be sourced. */
export function bashCompletions(
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
${commands.flatMap(valueCases).join("\n")}
    *)
      case "$command" in
${commands.map(commandCase).join("\n")}
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
function valueCases({ name, options }: CompletedCommand): string[] {
  return options.filter(({ takes }) => takes !== "nothing").map((option) => {
    const files = option.takes === "a file" && option.words.length > 0
      ? '\n      mapfile -t COMPREPLY < <(compgen -f -- "$current"; compgen -W "$words" -- "$current")\n      return'
      : "";
    return `    "${name} ${option.flag}") words="${
      option.words.join(" ")
    }"${files} ;;`;
  });
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const flags = options.map(({ flag }: CompletedOption) => flag).join(" ");
  const first = words.length === 0
    ? ""
    : `\n        [[ $COMP_CWORD -eq 2 ]] && words="${words.join(" ")}"`;
  return `      ${name})${first}
        [[ "$current" == -* ]] && words="${flags}"
        ;;`;
}
