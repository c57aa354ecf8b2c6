import { type ContentType, parseContentType } from "./content_type.ts";
import { type FormPart, parseForm } from "./multipart.ts";
import { HttpProblem, shortened } from "./problem.ts";

/** An image as it was sent. */
export interface UploadedImage {
  /** What results call it: the file's name, as the client gave it. */
  readonly name: string;
  /** The file as it came, still encoded, in a buffer of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Media types of `POST /predict`, as the header `Accept-Post` lists them. */
const ACCEPTED_TYPES = "image/*, application/octet-stream, multipart/form-data";

/** How the body of a request has its images. */
export type BodyKind =
  | { readonly kind: "image" }
  | { readonly kind: "form"; readonly boundary: string };

/**
 * Tells from a request's header how its body has its images.
 *
 * @throws {HttpProblem} 415 if it has none, 400 if a form has no boundary.
 */
export function bodyKind(headers: Headers): BodyKind {
  const text = headers.get("content-type") ?? "";
  const type = parseContentType(text);
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw unsupported(`has Content-Encoding "${shortened(encoding)}"`);
  }
  if (type.media === "multipart/form-data") {
    return { kind: "form", boundary: boundaryOf(type) };
  }
  if (/^(image\/.|application\/octet-stream$)/.test(type.media)) {
    return { kind: "image" };
  }
  throw unsupported(
    text === ""
      ? "has no Content-Type"
      : `has Content-Type "${shortened(text)}"`,
  );
}

/** What RFC 2046 allows: short, so that looking for it is quick. */
function boundaryOf({ parameters }: ContentType): string {
  const boundary = parameters.get("boundary") ?? "";
  if (/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) return boundary;
  throw badForm("its Content-Type names no boundary of 1 to 70 characters");
}

/**
 * The images of a body.
 *
 * @param name What a body that is one image is called.
 * @param most How many a form may have.
 * @throws {HttpProblem} If there is none, there are too many, or the form is
 * not understood.
 */
export function imagesOf(
  bytes: Uint8Array<ArrayBuffer>,
  body: BodyKind,
  { name, most }: { readonly name: string; readonly most: number },
): readonly UploadedImage[] {
  if (bytes.length === 0) {
    throw new HttpProblem(
      400,
      "The body is empty: send the bytes of an image, or a form with files",
    );
  }
  if (body.kind === "image") return [{ name, bytes }];
  const parts = formParts(bytes, body.boundary, most);
  const [text] = parts.filter(({ file }) => file === undefined);
  if (text !== undefined) {
    throw new HttpProblem(
      400,
      `Field "${text.field}" of the form is text, expected only files; options go into the URL`,
    );
  }
  if (parts.length === 0) {
    throw new HttpProblem(400, "The form has no file: send at least one image");
  }
  return parts.map(({ file, field, bytes }) => ({
    name: file || field,
    bytes: bytes.slice(),
  }));
}

function formParts(
  bytes: Uint8Array<ArrayBuffer>,
  boundary: string,
  most: number,
): readonly FormPart[] {
  const parts: FormPart[] = [];
  try {
    for (const part of parseForm(bytes, boundary)) {
      if (parts.push(part) <= most) continue;
      throw new HttpProblem(
        413,
        `The form has more than ${most} files; send several requests`,
      );
    }
  } catch (error) {
    throw error instanceof SyntaxError ? badForm(error.message) : error;
  }
  return parts;
}

function badForm(why: string): HttpProblem {
  return new HttpProblem(
    400,
    `Cannot read the form: ${why}; send multipart/form-data with the boundary of its Content-Type`,
  );
}

function unsupported(found: string): HttpProblem {
  return new HttpProblem(
    415,
    `The body ${found}, expected ${ACCEPTED_TYPES}`,
    { headers: { "accept-post": ACCEPTED_TYPES } },
  );
}
