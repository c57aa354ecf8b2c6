/** What every kind of option has. */
interface Described {
  /** What it does, for `--help`: a phrase without a period. */
  readonly help: string;
  /** One letter that means the same. */
  readonly short?: string;
}

/** An option without a value: true when given. */
interface FlagOption extends Described {
  /** Discriminates the kinds of options. */
  readonly kind: "flag";
}

/** An option whose value is text, such as a path. */
export interface TextOption extends Described {
  /** Discriminates the kinds of options. */
  readonly kind: "text";
  /** Placeholder of the value in `--help`, e.g. `FILE`. */
  readonly value: string;
  /** Value when not given. */
  readonly default?: string;
  /** Whether the command cannot do without it. */
  readonly required?: true;
}

/** An option whose value is several words, `a,b` or given repeatedly. */
export interface ListOption extends Described {
  /** Discriminates the kinds of options. */
  readonly kind: "list";
  /** Placeholder of the value in `--help`, e.g. `LAYER,…`. */
  readonly value: string;
  /** The only words allowed; any when absent. */
  readonly choices?: readonly string[];
  /** Whether values are taken whole, commas included, as paths are. */
  readonly whole?: true;
  /** What applies when not given, for `--help`. */
  readonly fallback?: string;
}

/** An option whose value is one of a few words. */
interface ChoiceOption extends Described {
  /** Discriminates the kinds of options. */
  readonly kind: "choice";
  /** The words, in the order of `--help`. */
  readonly choices: readonly string[];
  /** Value when not given. */
  readonly default?: string;
  /** What applies when not given, for `--help`, where that is no one word. */
  readonly fallback?: string;
}

/** An option whose value is a number. */
export interface NumberOption extends Described {
  /** Discriminates the kinds of options; an integer has no fraction. */
  readonly kind: "number" | "integer";
  /** Placeholder of the value in `--help`, `N` by default. */
  readonly value?: string;
  /** Smallest value allowed. */
  readonly min?: number;
  /** Largest value allowed. */
  readonly max?: number;
  /** Whether `min` itself is too small. */
  readonly above?: true;
  /** Unit for `--help`, e.g. `pixels`. */
  readonly unit?: string;
  /** Value when not given. */
  readonly default?: number;
  /** What applies when not given, for `--help`, where that is no number. */
  readonly fallback?: string;
  /** Words that are allowed instead of a number, e.g. `none`. */
  readonly words?: readonly string[];
  /** Whether `--no-NAME` is allowed, with the value `false`. */
  readonly negatable?: true;
}

/** One option of a command. */
export type Option =
  | FlagOption
  | TextOption
  | ListOption
  | ChoiceOption
  | NumberOption;

/**
 * The options of a command. The key `failOnAnomaly` stands for
 * `--fail-on-anomaly`.
 */
export type Options = Readonly<Record<string, Option>>;

type Always<O> = O extends { default: unknown } | { required: true } ? never
  : undefined;

/** The type of an option's value. */
type ValueOf<O extends Option> = O extends FlagOption ? boolean
  : O extends TextOption ? string | Always<O>
  : O extends ListOption ? ListValue<O> | undefined
  : O extends ChoiceOption ? O["choices"][number] | Always<O>
  : O extends NumberOption ?
      | number
      | WordsOf<O>
      | (O extends { negatable: true } ? false : never)
      | Always<O>
  : never;

type ListValue<O> = O extends { choices: readonly (infer W)[] } ? readonly W[]
  : readonly string[];

type WordsOf<O> = O extends { words: readonly (infer W)[] } ? W : never;

/** The values of a command's options, by key. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: ValueOf<O[K]>;
};

/** The arguments of a command that are no options. */
interface Operands {
  /** Placeholder in `--help`, e.g. `IMAGES`. */
  readonly name: string;
  /** What they are: a phrase without a period. */
  readonly help: string;
  /** How many there are at least. */
  readonly min: number;
  /** How many there are at most; no limit when absent. */
  readonly max?: number;
  /** What the first may be, where it is one of a few words. */
  readonly words?: readonly string[];
}

/** What the command line of a command looks like. */
export interface Syntax<O extends Options = Options> {
  /** The command's name. */
  readonly name: string;
  /** What it does: one sentence without a period. */
  readonly summary: string;
  /** Its arguments that are no options. */
  readonly operands?: Operands;
  /** Its options by key, in the order of `--help`. */
  readonly options: O;
  /** Command lines, without the program's name, and what each does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
}

/** The flag of an option's key: `failOnAnomaly` → `fail-on-anomaly`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
