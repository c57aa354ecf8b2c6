/** Text of a value for a message, cut to a length that a terminal can show. */
export function format(value: unknown): string {
  const text = Deno.inspect(value, {
    depth: 6,
    iterableLimit: 40,
    strAbbreviateSize: 4000,
    sorted: true,
    trailingComma: true,
    compact: true,
  });
  return text.length > 8000 ? `${text.slice(0, 8000)}…` : text;
}

/** `: message` when there is one, else the empty string. */
export function suffix(message: string | undefined): string {
  return message ? `: ${message}` : ".";
}
