import { Buffer } from "node:buffer";
import { HttpProblem } from "./problem.ts";
import { type BodyOptions, readBody } from "./request_body.ts";

/** An image as it was sent. */
export interface UploadedImage {
  /** What results call it: the file's name, as the client gave it. */
  readonly name: string;
  /** The file as it came, still encoded. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The images of a request. */
interface Upload {
  /** Whether the body is one image, not a form. */
  readonly single: boolean;
  /** The images in their order. */
  readonly images: readonly UploadedImage[];
}

/** Media types of `POST /predict`, as the header `Accept-Post` lists them. */
const ACCEPTED_TYPES = "image/*, application/octet-stream, multipart/form-data";

/** How a request's images are read. */
interface UploadOptions extends BodyOptions {
  /** The most images a request may have. */
  readonly maxImages: number;
  /** What a body that is one image is called. */
  readonly name: string;
}

/**
 * Reads the images of a request: its body, or every file of a form.
 *
 * @throws {HttpProblem} If there is none, it is too large, or not understood.
 */
export async function readUpload(
  request: Request,
  options: UploadOptions,
): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "";
  const [media = ""] = type.toLowerCase().split(";");
  const form = media.trim() === "multipart/form-data";
  if (!form && !/^(image\/.|application\/octet-stream$)/.test(media.trim())) {
    throw unsupported(
      type === "" ? "has no Content-Type" : `has Content-Type "${type}"`,
    );
  }
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw unsupported(`has Content-Encoding "${encoding}"`);
  }
  const bytes = await readBody(request, options);
  if (bytes.length === 0) {
    throw new HttpProblem(
      400,
      "The body is empty: send the bytes of an image, or a form with files",
    );
  }
  if (!form) return { single: true, images: [{ name: options.name, bytes }] };
  return { single: false, images: await readForm(bytes, type, options) };
}

async function readForm(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  { maxImages }: UploadOptions,
): Promise<UploadedImage[]> {
  refuseManyParts(bytes, type, maxImages);
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { "content-type": type } })
      .formData();
  } catch {
    throw new HttpProblem(
      400,
      "Cannot read the form: the body is not multipart/form-data with the boundary of its Content-Type",
    );
  }
  const entries = [...form];
  if (entries.length === 0) {
    throw new HttpProblem(400, "The form has no file: send at least one image");
  }
  const images: UploadedImage[] = [];
  for (const [field, value] of entries) {
    if (typeof value === "string") {
      throw new HttpProblem(
        400,
        `Field "${field}" of the form is text, expected only files; options go into the URL`,
      );
    }
    const bytes = new Uint8Array(await value.arrayBuffer());
    images.push({ name: value.name || field, bytes });
  }
  return images;
}

/** Counts a form's parts before it is parsed, which takes long for many. */
function refuseManyParts(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  most: number,
): void {
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const delimiter = `--${boundary}`;
  let parts = -1;
  for (
    let at = body.indexOf(delimiter);
    at >= 0;
    at = body.indexOf(delimiter, at + delimiter.length)
  ) {
    if (++parts <= most) continue;
    throw new HttpProblem(
      413,
      `The form has more than ${most} files; send several requests`,
    );
  }
}

function unsupported(found: string): HttpProblem {
  return new HttpProblem(
    415,
    `The body ${found}, expected ${ACCEPTED_TYPES}`,
    { headers: { "accept-post": ACCEPTED_TYPES } },
  );
}
