import { parseContentType } from "../../src/cli/serve/content_type.ts";
import { HttpProblem } from "../../src/cli/serve/problem.ts";
import { imagesOf } from "../../src/cli/serve/request_images.ts";
import { fakeService, png, problem } from "../cli/serve/fake_service.ts";
import { type Chance, damaged, joined } from "./damage.ts";
import type { Reader } from "./fuzz.ts";

const IMAGE = await png();
const FEW = { name: "image", most: 4 };

const TYPES = [
  ...["image/png", "image/jpeg", "application/octet-stream", "text/plain", ""],
  ...[
    "multipart/form-data; boundary=xyz",
    'multipart/form-data;boundary="x\\"y"',
  ],
  ...["multipart/form-data; charset=utf-8; boundary=xyz; boundary=abc"],
  ...[
    "multipart/form-data",
    "image/",
    "IMAGE/PNG ; q=1",
    ";;;;",
    "multipart/x",
  ],
];
const TYPE_WORDS = ["boundary=", '"', "\\", ";", "=", ",", " ", "\t", "/", "*"];

const FORM_WORDS = [
  ...["\r\n", "\n", "\r", "--", "--xyz", "--xyz--", "\r\n\r\n", '"', '\\"'],
  ...[
    'filename="',
    "filename*=UTF-8''%ff",
    "name=",
    "; ",
    "content-type: a\r\n",
  ],
  ...["content-disposition: form-data;", ":", "\0", "%0d%0a", "\r\n--xyz\r\n"],
];

const PATHS = [
  ...["/predict", "/predict", "/predict", "/models", "/health", "/metrics"],
  ...["/openapi.json", "/", "/predict/", "//predict", "/%", "/..%2f", "/x"],
];
const QUERIES = [
  ...["", "", "", "model=part", "map=png", "map=overlay", "name=a.png"],
  ...["map=png&map=png", "model=", "constructor=1", "name=%", "name=%ff%00"],
  ...["model=part&name=..%2F..%2Fx", "&&&", "=", "map=PNG", "__proto__=1"],
];
const METHODS = [
  "POST",
  "POST",
  "POST",
  "GET",
  "PUT",
  "DELETE",
  "OPTIONS",
  "HEAD",
];
const ACCEPTS = [
  ...["*/*", "application/json", "image/png", "image/png;q=0", "text/html"],
  ...["image/*;q=abc", ",,,", "a/b;q=1e999, */*", "application/json;q=0.1"],
];

/** A request before it is made. */
interface Sketch {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Readers of what comes over the network. */
export const SERVICE_READERS: readonly Reader[] = [{
  name: "content_type",
  input: (chance) => header(chance.pick(TYPES), chance, TYPE_WORDS),
  read: (input) => {
    const { media, parameters } = parseContentType(input as string);
    if (typeof media !== "string" || !(parameters instanceof Map)) {
      throw new Error("wrong kind");
    }
  },
  errors: [],
}, {
  name: "form",
  input: (chance) => form(chance),
  read: (input) => {
    const bytes = input as Uint8Array<ArrayBuffer>;
    let total = 0;
    const body = { kind: "form", boundary: "xyz" } as const;
    for (const { bytes: image } of imagesOf(bytes, body, FEW)) {
      total += image.length;
    }
    if (total > bytes.length) throw new Error("wrong length");
  },
  errors: [HttpProblem],
}, {
  name: "http",
  input: request,
  read: async (input) => {
    const { path, method, headers, body } = input as Sketch;
    const service = fakeService({
      workers: {
        decode: ({ name }) =>
          Promise.resolve({
            name,
            pixels: { width: 16, height: 16, data: new Uint8Array(1024) },
          } as never),
      },
    });
    const hasBody = method !== "GET" && method !== "HEAD";
    const response = await service.fetch(path, {
      method,
      headers,
      ...hasBody && { body },
    });
    const { errors, uploads, entries } = service;
    if (errors[0] !== undefined) throw errors[0];
    if (response.status >= 500) throw new Error("wrong status");
    const type = response.headers.get("content-type") ?? "";
    const isProblem = response.status >= 400 && type.includes("json");
    if (isProblem && method !== "HEAD") await problem(response);
    else await response.body?.cancel();
    if (uploads.bytes !== 0) throw new Error("wrong count of bytes");
    if (entries.length !== 1) throw new Error("wrong count of entries");
  },
  errors: [],
}];

function form(chance: Chance): Uint8Array<ArrayBuffer> {
  const text = (content: string) => new TextEncoder().encode(content);
  const parts = Array.from({ length: 1 + chance.below(3) }, (_, i) => [
    text(
      `--xyz\r\ncontent-disposition: form-data; name="image"; filename="${i}.png"\r\ncontent-type: image/png\r\n\r\n`,
    ),
    chance.oneIn(2) ? IMAGE : new Uint8Array(chance.below(40)),
    text("\r\n"),
  ]);
  const whole = joined(...parts.flat(), text("--xyz--\r\n"));
  return chance.oneIn(8) ? whole : damaged(whole, chance, FORM_WORDS);
}

function request(chance: Chance): Sketch {
  const query = chance.pick(QUERIES);
  const type = header(chance.pick(TYPES), chance, TYPE_WORDS);
  const isForm = type.startsWith("multipart");
  return {
    path: chance.pick(PATHS) + (query === "" ? "" : `?${query}`),
    method: chance.pick(METHODS),
    headers: {
      "content-type": type,
      accept: header(chance.pick(ACCEPTS), chance, TYPE_WORDS),
      ...chance.oneIn(6) && { "content-encoding": "gzip" },
      ...chance.oneIn(6) &&
        { origin: header("http://localhost", chance, ["/"]) },
    },
    body: isForm
      ? form(chance)
      : chance.oneIn(3)
      ? damaged(IMAGE, chance)
      : IMAGE,
  };
}

/** A value that a header may have, damaged at times. */
function header(
  value: string,
  chance: Chance,
  words: readonly string[],
): string {
  if (chance.oneIn(3)) return value;
  const bytes = damaged(new TextEncoder().encode(value), chance, words);
  const repeated = chance.oneIn(20) ? 400 : 1;
  return String.fromCharCode(...bytes).replace(/[\0\r\n]/g, "")
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, "").repeat(repeated).trim();
}
