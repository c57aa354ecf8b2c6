import { assertEquals, assertThrows } from "@std/assert";
import { expand, type Names } from "../../src/wgsl/expand.ts";

Deno.test("expand() returns a text without directives as it is", () => {
  const text = "struct P { a: u32 }\nfn f() {}\n// {\n  if (a) { return; }";
  assertEquals(expand(text), text);
});

Deno.test.each<[string, string, string, Names?]>([
  ["a loop", "a\n//#for q 1 3\ns{q}\n//#end\nb", "a\ns1\ns2\nb"],
  ["a loop that ends at once", "//#for q 2 2\ns{q}\n//#end\nb", "b"],
  [
    "loops in loops",
    "//#for r 0 2\n//#for c r 2\ns{r}_{c};\n//#end\n//#end\n",
    "s0_0;\ns0_1;\ns1_1;\n",
  ],
  [
    "one loop after another over the same name",
    "//#for q 0 1\na{q}\n//#end\n//#for q 4 5\nb{q}\n//#end",
    "a0\nb4",
  ],
  [
    "several expressions a line",
    "//#for q 8 10\nlet a{q} = x{q / 8}[{q % 8}u];\n//#end",
    "let a8 = x1[0u];\nlet a9 = x1[1u];",
  ],
  ["products before sums", "{1 + 2 * 3 - 4}", "3"],
  [
    "operators from the left",
    "{20 - 8 - 4} {64 / 4 / 2} {7 * 5 / 2}",
    "8 8 17",
  ],
  ["brackets", "{(1 + 2) * 3}", "9"],
  ["a letter", "v.{xyzw[1 + 2]}", "v.w"],
  ["a number by name", "{rows * 2}", "32", { rows: 16 }],
  ["a name for text", "w[{at}]", "w[k]", { at: "k" }],
  ["bounds by name", "//#for q 0 rows/8\n{q}\n//#end", "0\n1", { rows: 16 }],
  ["a remark", "a\n  //# unrolled\nb", "a\nb"],
  [
    "a part with the indentation of its line",
    "fn f() {\n  //#use part\n}",
    "fn f() {\n  a;\n\n    b;\n}",
    { part: "a;\n\n  b;\n" },
  ],
  [
    "a part that sees the loop it stands in",
    "//#for q 0 2\n//#use part\n//#end\n",
    "s0 += x;\ns1 += x;\n",
    { part: "//#for i 0 1\ns{q + i} += {at};\n//#end\n", at: "x" },
  ],
])("expand() writes out %s", (_, text, expected, names) => {
  assertEquals(expand(text, names), expected);
});

Deno.test.each<[string, string, string, Names?]>([
  ["a loop without end", "//#for q 0 2\ns{q}", 'its "//#end" is missing'],
  [
    "an outer loop without end",
    "//#for q 0 2\n//#for r 0 2\n//#end\n",
    '"//#for q 0 2": its "//#end" is missing',
  ],
  ["an end without loop", "a\n//#end", "it closes no loop"],
  ["an end in a part", "//#use p", 'no loop of the part "p"', { p: "//#end" }],
  ["a loop without bounds", "//#for q\n//#end", '"//#for NAME FROM TO"'],
  ["a loop over a number", "//#for 2 0 2\n//#end", '"//#for NAME FROM TO"'],
  ["an unknown directive", "//#if q", 'expected "//#for"'],
  ["an unknown name", "s{q}", 'the name "q" is unknown in "q"'],
  [
    "a name after its loop",
    "//#for q 0 1\n//#end\ns{q}",
    'the name "q" is unknown',
  ],
  ["an unknown bound", "//#for q 0 n\n//#end", 'the name "n" is unknown'],
  ["an unknown part", "//#use tile", 'no part is called "tile"'],
  ["a number for a part", "//#use n", 'no part is called "n"', { n: 1 }],
  [
    "a loop over a name in use",
    "//#for q 0 1\n//#for q 0 1\n//#end\n//#end",
    '"q" already has a value here',
  ],
  ["a division by zero", "{4 / (2 - 2)}", "division by zero is not an integer"],
  ["a remainder of zero", "{4 % 0}", "division by zero is not an integer"],
  ["a fraction", "{1.5 * 2}", 'found "1.5", expected an integer or a name'],
  ["text in a sum", "{at + 1}", '"k" is not an integer', { at: "k" }],
  ["text for a bound", "//#for q 0 n\n//#end", "expected an integer", {
    n: "k",
  }],
  ["a letter too far", "{xyzw[4]}", '"xyzw" has no letter 4'],
  ["an open bracket", "{(1 + 2}", 'found "the end", expected ")"'],
  ["two numbers", "{1 2}", '"2" is not understood'],
  ["half a sum", "{1 +}", 'found "the end", expected an integer'],
  ["an unknown character", "{1 & 2}", "a character is not understood"],
])("expand() refuses %s", (_, text, reason, names) => {
  const error = assertThrows(() => expand(text, names), SyntaxError, reason);
  assertEquals(error.message.startsWith('Cannot expand the WGSL line "'), true);
});
