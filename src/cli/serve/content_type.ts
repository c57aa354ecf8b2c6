/** What a `Content-Type` says. */
export interface ContentType {
  /** Type and subtype in lower case, e.g. `image/png`. */
  readonly media: string;
  /** Parameters by name in lower case; of two with one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Takes a `Content-Type` apart in one pass over its characters, however it is
 * written: the platform's own parser takes seconds for a long one.
 *
 * @param text The header field, RFC 9110, section 8.3.
 */
export function parseContentType(text: string): ContentType {
  const end = endOf(text, ";", 0);
  const parameters = new Map<string, string>();
  for (let at = end + 1; at < text.length;) {
    const equals = endOf(text, "=;", at);
    if (text[equals] !== "=") {
      at = equals + 1;
      continue;
    }
    const name = text.slice(at, equals).trim().toLowerCase();
    const { value, next } = text[equals + 1] === '"'
      ? quoted(text, equals + 2)
      : token(text, equals + 1);
    if (!parameters.has(name)) parameters.set(name, value);
    at = next;
  }
  return { media: text.slice(0, end).trim().toLowerCase(), parameters };
}

/** Where the first of some characters is, or the end of the text. */
function endOf(text: string, characters: string, from: number): number {
  let at = from;
  while (at < text.length && !characters.includes(text[at]!)) at++;
  return at;
}

interface Value {
  readonly value: string;
  /** Where the next parameter begins. */
  readonly next: number;
}

function token(text: string, from: number): Value {
  const end = endOf(text, ";", from);
  return { value: text.slice(from, end).trim(), next: end + 1 };
}

/** What stands between quotes; a backslash guards a quote or another one. */
function quoted(text: string, from: number): Value {
  const pieces: string[] = [];
  let at = from;
  for (;;) {
    const end = endOf(text, '"\\', at);
    pieces.push(text.slice(at, end));
    if (text[end] !== "\\") {
      return { value: pieces.join(""), next: endOf(text, ";", end) + 1 };
    }
    const guards = text[end + 1] === '"' || text[end + 1] === "\\";
    pieces.push(guards ? text[end + 1]! : "\\");
    at = end + (guards ? 2 : 1);
  }
}
