/** What the names of a text stand for: integers, and shared parts of text. */
export type Names = Readonly<Record<string, number | string>>;

type Scope = Map<string, number | string>;
type Value = (scope: Scope) => number | string;
type Writer = (scope: Scope, indent: string) => string;

/** A substitution: a brace with no space behind it, which WGSL never has. */
const SUBSTITUTION = /\{([^\s{}][^{}]*)\}/;
const TOKEN = /\s*(\d+(?:\.\d+)?|\w+|[-+*/%()[\]])/y;

/**
 * Writes out a WGSL text, so that what is unrolled is written once:
 *
 * ```wgsl
 * //#for q 0 32
 * let a{q} = subgroupBroadcast(x{q / 8}, {q % 8}u);
 * s{q / 4}.{xyzw[q % 4]} += a{q};
 * //#end
 * //#use store
 * //# not a part of the kernel
 * ```
 *
 * - `//#for q 0 32 … //#end` repeats its lines for q = 0 … 31; loops nest.
 * - `{…}` is an integer expression of numbers, names, `+ - * / %` and brackets;
 *   division drops the remainder as WGSL's does. `{xyzw[2]}` is a letter.
 * - `//#use store` is the part `store` of `names`, with the line's indentation;
 *   the part may use the names around it.
 * - `//# ` begins a remark that is left out.
 *
 * @param text The text; one without directives and braces is returned as it is.
 * @param names What names outside of loops stand for.
 * @throws {SyntaxError} If a directive or an expression cannot be understood,
 * or a name is unknown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { expand } from "@patchcore/webgpu/wgsl";
 *
 * assertEquals(
 *   expand("//#for q 0 rows\nvar s{q} = {q * 8}u;\n//#end\n", { rows: 2 }),
 *   "var s0 = 0u;\nvar s1 = 8u;\n",
 * );
 * ```
 */
export function expand(text: string, names: Names = {}): string {
  if (!text.includes("//#") && !SUBSTITUTION.test(text)) return text;
  const lines = text.split("\n");
  const { writer, end } = readLines(lines, 0);
  if (end < lines.length) {
    throw refusal(lines[end]!, "it closes no loop");
  }
  return writer(new Map(Object.entries(names)), "").slice(0, -1);
}

/** Reads lines up to the end of the loop that `from` lies in, or of the text. */
function readLines(
  lines: readonly string[],
  from: number,
): { writer: Writer; end: number } {
  const writers: Writer[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at]!;
    const [, indent = "", directive] = /^(\s*)\/\/#(.*)$/.exec(line) ?? [];
    if (directive === undefined) writers.push(plainLine(line));
    else if (directive === "end") break;
    else if (directive.startsWith("for ")) {
      const { writer, end } = readLines(lines, at + 1);
      if (end === lines.length) {
        throw refusal(line, 'its "//#end" is missing');
      }
      writers.push(loop(line, directive, writer));
      at = end;
    } else if (directive.startsWith("use ")) {
      writers.push(part(line, directive.slice(4), indent));
    } else if (directive !== "" && !directive.startsWith(" ")) {
      throw refusal(line, 'expected "//#for", "//#end", "//#use" or "//# "');
    }
  }
  return {
    writer: (scope, indent) =>
      writers.map((write) => write(scope, indent)).join(""),
    end: at,
  };
}

function loop(line: string, directive: string, body: Writer): Writer {
  const [, name, ...bounds] = directive.split(/\s+/);
  if (!/^[a-z]\w*$/i.test(name!) || bounds.length !== 2) {
    throw refusal(line, 'expected "//#for NAME FROM TO"');
  }
  const [from, to] = bounds.map((bound) => integer(line, bound));
  return (scope, indent) => {
    if (scope.has(name!)) {
      throw refusal(line, `"${name}" already has a value here`);
    }
    let text = "";
    const end = to!(scope);
    for (let i = from!(scope); i < end; i++) {
      scope.set(name!, i);
      text += body(scope, indent);
    }
    scope.delete(name!);
    return text;
  };
}

function part(line: string, name: string, indent: string): Writer {
  return (scope, outer) => {
    const text = scope.get(name);
    if (typeof text !== "string") {
      throw refusal(line, `no part is called "${name}"`);
    }
    const lines = text.replace(/\n$/, "").split("\n");
    const { writer, end } = readLines(lines, 0);
    if (end < lines.length) {
      throw refusal(lines[end]!, `it closes no loop of the part "${name}"`);
    }
    return writer(scope, outer + indent);
  };
}

function plainLine(line: string): Writer {
  const pieces = line.split(SUBSTITUTION);
  if (pieces.length === 1) {
    return (_, indent) => line === "" ? "\n" : `${indent}${line}\n`;
  }
  const values = pieces.map((piece, i) =>
    i % 2 === 1 ? expression(line, piece) : () => piece
  );
  return (scope, indent) =>
    `${indent}${values.map((value) => value(scope)).join("")}\n`;
}

/** An expression that has to be a number. */
function integer(line: string, text: string): (scope: Scope) => number {
  const value = expression(line, text);
  return (scope) => {
    const found = value(scope);
    if (typeof found === "number") return found;
    throw refusal(line, `"${text}" is "${found}", expected an integer`);
  };
}

function expression(line: string, text: string): Value {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    tokens.push(match[1]!);
  }
  const problem = (what: string): SyntaxError =>
    refusal(line, `${what} in "${text}"`);
  if (tokens.join("") !== text.replaceAll(" ", "")) {
    throw problem("a character is not understood");
  }
  const number = (value: Value): (scope: Scope) => number => (scope) => {
    const found = value(scope);
    if (typeof found === "number") return found;
    throw problem(`"${found}" is not an integer`);
  };
  const take = (token: string): void => {
    const found = tokens.shift();
    if (found !== token) {
      throw problem(`found "${found ?? "the end"}", expected "${token}"`);
    }
  };
  const atom = (): Value => {
    const token = tokens.shift() ?? "the end";
    if (token === "(") {
      const value = sum();
      take(")");
      return value;
    }
    if (/^\d+$/.test(token)) return () => Number(token);
    if (!/^[a-z]\w*$/i.test(token)) {
      throw problem(`found "${token}", expected an integer or a name`);
    }
    if (tokens[0] === "[") {
      tokens.shift();
      const index = number(sum());
      take("]");
      return (scope) => {
        const letter = token[index(scope)];
        if (letter !== undefined) return letter;
        throw problem(`"${token}" has no letter ${index(scope)}`);
      };
    }
    return (scope) => {
      const value = scope.get(token);
      if (value !== undefined) return value;
      throw problem(`the name "${token}" is unknown`);
    };
  };
  const product = (): Value => {
    let value = atom();
    while (/^[*/%]$/.test(tokens[0] ?? "")) {
      const operator = tokens.shift();
      const [left, right] = [number(value), number(atom())];
      value = (scope) => {
        const [a, b] = [left(scope), right(scope)];
        if (operator === "*") return a * b;
        if (b === 0) throw problem("a division by zero is not an integer");
        return operator === "/" ? Math.trunc(a / b) : a % b;
      };
    }
    return value;
  };
  const sum = (): Value => {
    let value = product();
    while (/^[-+]$/.test(tokens[0] ?? "")) {
      const sign = tokens.shift() === "+" ? 1 : -1;
      const [left, right] = [number(value), number(product())];
      value = (scope) => left(scope) + sign * right(scope);
    }
    return value;
  };
  const value = sum();
  if (tokens.length > 0) throw problem(`"${tokens[0]}" is not understood`);
  return value;
}

function refusal(line: string, what: string): SyntaxError {
  return new SyntaxError(
    `Cannot expand the WGSL line "${line.trim()}": ${what}`,
  );
}
