import { parseContentType } from "./content_type.ts";

/** One part of a form. */
export interface FormPart {
  /** Name of its field. */
  readonly field: string;
  /** Name of the file; undefined where the part is no file. */
  readonly file: string | undefined;
  /** The content, a piece of the body. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes that the header of a part may have. */
const MAX_HEADER = 16 * 1024;

const DISPOSITION = "content-disposition:";

const [CR, LF, DASH, SPACE, TAB] = [13, 10, 45, 32, 9];

/**
 * Takes a form apart, looking at every byte a few times only and copying none.
 * The platform's `formData()` needs seconds for a part's header of 10 kB, and
 * keeps files until garbage is collected.
 *
 * @param body `multipart/form-data`, RFC 7578.
 * @param boundary The parameter of its Content-Type.
 * @returns The parts in their order.
 * @throws {SyntaxError} If it is none, saying why.
 */
export function* parseForm(
  body: Uint8Array<ArrayBuffer>,
  boundary: string,
): Generator<FormPart> {
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  // The first may begin the body, without a line break before it.
  let mark = isAt(body, delimiter.subarray(2), 0)
    ? lineAfter(body, delimiter.length - 2)
    : undefined;
  mark ??= nextDelimiter(body, delimiter, 0);
  while (!mark.last) {
    const { header, end } = readHeader(body, mark.next);
    const next = nextDelimiter(body, delimiter, end);
    yield { ...header, bytes: body.subarray(end, next.at) };
    mark = next;
  }
}

interface Mark {
  /** Where the content before it ends. */
  readonly at: number;
  /** Where its line ends. */
  readonly next: number;
  /** Whether it ends the form. */
  readonly last: boolean;
}

function nextDelimiter(
  body: Uint8Array,
  delimiter: Uint8Array,
  from: number,
): Mark {
  for (
    let at = body.indexOf(CR, from);
    at >= 0;
    at = body.indexOf(CR, at + 1)
  ) {
    if (!isAt(body, delimiter, at)) continue;
    const mark = lineAfter(body, at + delimiter.length);
    if (mark !== undefined) return { ...mark, at };
  }
  throw new SyntaxError("a part has no end: the boundary does not follow");
}

/** What follows a boundary; undefined where it is only the start of a word. */
function lineAfter(body: Uint8Array, from: number): Mark | undefined {
  const at = from;
  if (body[at] === DASH && body[at + 1] === DASH) {
    return { at, next: at + 2, last: true };
  }
  let end = at;
  while (body[end] === SPACE || body[end] === TAB) end++;
  return body[end] === CR && body[end + 1] === LF
    ? { at, next: end + 2, last: false }
    : undefined;
}

function isAt(body: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (body[at + i] !== bytes[i]) return false;
  }
  return true;
}

/** The header of a part, and where its content begins. */
function readHeader(
  body: Uint8Array,
  from: number,
): { header: Pick<FormPart, "field" | "file">; end: number } {
  const limit = Math.min(body.length, from + MAX_HEADER);
  for (let at = from; at < limit;) {
    const end = body.indexOf(LF, at);
    if (end < 0 || end >= limit) break;
    if (end === at || (end === at + 1 && body[at] === CR)) {
      const text = new TextDecoder().decode(body.subarray(from, at));
      return { header: readDisposition(text), end: end + 1 };
    }
    at = end + 1;
  }
  throw new SyntaxError(
    `the header of a part has no end within ${MAX_HEADER} bytes`,
  );
}

function readDisposition(text: string): Pick<FormPart, "field" | "file"> {
  const line = text.split("\n").find((line) =>
    line.slice(0, DISPOSITION.length).toLowerCase() === DISPOSITION
  );
  if (line === undefined) {
    throw new SyntaxError("a part has no Content-Disposition");
  }
  const { media, parameters } = parseContentType(
    line.slice(DISPOSITION.length),
  );
  const field = parameters.get("name");
  if (media !== "form-data" || field === undefined) {
    throw new SyntaxError("a part's Content-Disposition has no name");
  }
  const file = parameters.get("filename");
  return {
    field: unescaped(field),
    file: file === undefined ? undefined : unescaped(file),
  };
}

/** Browsers write quotes and line breaks of names so. */
function unescaped(name: string): string {
  return name.replaceAll("%22", '"').replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n");
}
