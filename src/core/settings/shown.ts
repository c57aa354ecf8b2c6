/** Characters of a value that a message repeats. */
const MOST = 100;

/**
 * A value of unknown origin as a message shows it: JSON, numbers as they are,
 * strings in quotes, the beginning of what is long, "missing" where there is none.
 */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(shortened(value));
  return shortened(JSON.stringify(value) ?? String(value));
}

/** The beginning of a text that is long. */
export function shortened(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}
