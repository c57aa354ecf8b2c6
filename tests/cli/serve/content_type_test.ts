import { assertEquals } from "@std/assert";
import { parseContentType } from "../../../src/cli/serve/content_type.ts";

Deno.test.each<[string, string, Record<string, string>]>([
  ["", "", {}],
  ["Image/PNG", "image/png", {}],
  ["text/plain ; charset = utf-8", "text/plain", { charset: "utf-8" }],
  ["a/b;Boundary=Xy;boundary=z", "a/b", { boundary: "Xy" }],
  ['a/b; boundary="x; y"; q=1', "a/b", { boundary: "x; y", q: "1" }],
  ['a/b; n="a\\"b\\\\c"rest; q=1', "a/b", { n: 'a"b\\c', q: "1" }],
  ['a/b; n="open', "a/b", { n: "open" }],
  ['a/b; n="open\\', "a/b", { n: "open\\" }],
  ['a/b; n="C:\\x"', "a/b", { n: "C:\\x" }],
  ["a/b;;; flag ;x=", "a/b", { x: "" }],
])("parseContentType() takes %j apart", (text, media, parameters) => {
  const parsed = parseContentType(text);
  assertEquals(parsed.media, media);
  assertEquals(Object.fromEntries(parsed.parameters), parameters);
});

Deno.test("parseContentType() looks at every character a few times only", () => {
  for (const piece of [";", "; ", "=", '"', "\\", 'a="\\', ";a=", ' ;a="b"']) {
    let reads = 0;
    const length = 20_000;
    const counted = counting(piece.repeat(length).slice(0, length), () => {
      reads++;
    });
    parseContentType(counted);
    assertEquals(reads < 4 * length, true, `${reads} reads of ${piece}`);
  }
});

/** A text that tells how many of its characters are looked at. */
function counting(text: string, onRead: () => void): string {
  const slice = (from: number, to = text.length): string => {
    for (let i = from; i < Math.min(to, text.length); i++) onRead();
    return text.slice(from, to);
  };
  return new Proxy(Object(text), {
    get(target, key) {
      if (key === "length") return text.length;
      if (key === "slice") return slice;
      if (typeof key === "string" && /^\d+$/.test(key)) onRead();
      return Reflect.get(target, key);
    },
  }) as string;
}
