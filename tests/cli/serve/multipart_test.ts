import { assertEquals, assertThrows } from "@std/assert";
import { type FormPart, parseForm } from "../../../src/cli/serve/multipart.ts";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(text);

const parse = (text: string, boundary = "x"): FormPart[] => [
  ...parseForm(bytesOf(text), boundary),
];

const DISPOSITION = 'Content-Disposition: form-data; name="a"; filename="b"';

Deno.test("parseForm() reads what FormData writes", async () => {
  const files = [
    new File([new Uint8Array([13, 10, 45, 45, 0, 255])], "a.png"),
    new File([], 'größe "1"\n.png'),
    new File(["\r\n--x\r\n--"], "C:\\fakepath\\c;.png", { type: "a/b" }),
  ];
  const form = new FormData();
  for (const file of files) form.append('field "1"', file);
  form.append("text", "words");
  const response = new Response(form);
  const [, boundary] = /boundary=(.*)/.exec(
    response.headers.get("content-type")!,
  )!;
  const parts = [...parseForm(await response.bytes(), boundary!)];
  assertEquals(parts.map(({ field }) => field), [
    ...files.map(() => 'field "1"'),
    "text",
  ]);
  assertEquals(parts.map(({ file }) => file), [
    ...files.map(({ name }) => name),
    undefined,
  ]);
  for (const [i, file] of files.entries()) {
    assertEquals(parts[i]!.bytes.slice(), await file.bytes());
  }
  assertEquals(parts[3]!.bytes.slice(), bytesOf("words"));
});

Deno.test("parseForm() takes the forms that RFC 2046 allows", () => {
  const [part, ...others] = parse(
    `preamble\r\n--x-\r\n--xy\r\n--x \t\r\nother: 1\r\n${DISPOSITION}\r\n\r\n\r\n--xyz\r\n--x--\r\nepilogue`,
  );
  assertEquals(others, []);
  assertEquals(part!.bytes.slice(), bytesOf("\r\n--xyz"));
  assertEquals(parse("--x--"), []);
});

Deno.test.each([
  ["", "has no end"],
  ["no form", "has no end"],
  [`--x\r\n${DISPOSITION}\r\n\r\nabc`, "has no end"],
  [`--x\r\n${DISPOSITION}\r\n`, "no end within 16384 bytes"],
  [`--x\r\n${DISPOSITION}${" ".repeat(20_000)}\r\n\r\n`, "no end within"],
  ["--x\r\n\r\nabc\r\n--x--", "has no Content-Disposition"],
  ["--x\r\ncontent-disposition: file\r\n\r\n\r\n--x--", "has no name"],
])("parseForm() refuses %j", (text, why) => {
  assertThrows(() => parse(text), SyntaxError, why);
});

Deno.test("parseForm() looks for line breaks only", () => {
  // Bodies on which a search for the whole boundary would start over and over.
  const boundary = "-".repeat(69);
  const head = `--${boundary}\r\n${DISPOSITION}\r\n\r\n`;
  for (const piece of ["-", "\r", "\r\n", `\r\n--${"-".repeat(60)}`]) {
    const content = piece.repeat(1000);
    const [part] = parse(`${head}${content}\r\n--${boundary}--`, boundary);
    assertEquals(part!.bytes.length, content.length);
  }
});
