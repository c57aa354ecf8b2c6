import type { Command } from "./command.ts";
import { weights } from "./weights.ts";

/** The commands of the program, in the order of `--help`. */
export const COMMANDS: readonly Command[] = [weights];
