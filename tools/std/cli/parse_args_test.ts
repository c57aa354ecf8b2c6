import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("parseArgs() reads options and positionals as documented", () => {
  assertEquals(parseArgs(["--foo", "--bar=baz", "./quux.txt"]), {
    foo: true,
    bar: "baz",
    _: ["./quux.txt"],
  });
  assertEquals(parseArgs(["-a", "beep", "-b", "boop"]), {
    _: [],
    a: "beep",
    b: "boop",
  });
  assertEquals(
    parseArgs("-x 3 -y 4 -n5 -abc --beep=boop foo bar baz".split(" ")),
    {
      _: ["foo", "bar", "baz"],
      x: 3,
      y: 4,
      n: 5,
      a: true,
      b: true,
      c: true,
      beep: "boop",
    },
  );
});

Deno.test("parseArgs() leaves what follows -- alone", () => {
  assertEquals(parseArgs(["-a", "1", "--", "-b", "2"]), {
    a: 1,
    _: ["-b", "2"],
  });
  assertEquals(parseArgs(["foo", "--", "-b"], { "--": true }), {
    _: ["foo"],
    "--": ["-b"],
  });
});

Deno.test("parseArgs() gives declared booleans false and no value", () => {
  const options = { boolean: ["json", "quiet"] };
  assertEquals(parseArgs(["--json", "out"], options), {
    json: true,
    quiet: false,
    _: ["out"],
  });
  for (const args of [["--json", "false"], ["--json=false"]]) {
    assertEquals(parseArgs(args, options), {
      json: false,
      quiet: false,
      _: [],
    });
  }
  assertEquals(parseArgs(["--a", "b"], { boolean: true }), {
    a: true,
    _: ["b"],
  });
});

Deno.test("parseArgs() keeps declared strings as text, empty without a value", () => {
  const options = { string: ["out", "_"] };
  assertEquals(parseArgs(["--out", "007", "8"], options), {
    out: "007",
    _: ["8"],
  });
  assertEquals(parseArgs(["--out"], options), { out: "", _: [] });
  assertEquals(parseArgs(["--out=-5"], options), { out: "-5", _: [] });
  assertEquals(parseArgs(["--out", "-5"], options), {
    out: "",
    "5": true,
    _: [],
  });
});

Deno.test("parseArgs() turns undeclared numbers into numbers", () => {
  assertEquals(parseArgs(["--n", "007", "1e3", "0xff", "1a"]), {
    n: 7,
    _: [1000, 255, "1a"],
  });
});

Deno.test("parseArgs() negates only negatable options", () => {
  assertEquals(parseArgs(["--no-color"], { negatable: ["color"] }), {
    color: false,
    _: [],
  });
  assertEquals(parseArgs(["--no-color"]), { "no-color": true, _: [] });
});

Deno.test("parseArgs() collects repeated options, else the last wins", () => {
  assertEquals(
    parseArgs(["--t", "a", "--t", "b"], { collect: ["t", "u"], string: "t" }),
    { t: ["a", "b"], u: [], _: [] },
  );
  assertEquals(parseArgs(["--t", "a", "--t", "b"]), { t: "b", _: [] });
});

Deno.test("parseArgs() gives an option's value to all its names", () => {
  assertEquals(
    parseArgs(["-h"], { alias: { help: "h" }, boolean: ["help"] }),
    { h: true, help: true, _: [] },
  );
});

Deno.test("parseArgs() uses defaults for what is not given", () => {
  assertEquals(parseArgs(["--a", "1"], { default: { a: 2, b: 3 } }), {
    a: 1,
    b: 3,
    _: [],
  });
});

Deno.test("parseArgs() nests names with dots and never reaches a prototype", () => {
  assertEquals(parseArgs(["--a.b", "1", "--a.c=2"]), {
    a: { b: 1, c: 2 },
    _: [],
  });
  parseArgs([
    "--__proto__.polluted",
    "1",
    "--constructor.prototype.polluted=1",
  ]);
  assertEquals(Reflect.get({}, "polluted"), undefined);
});

Deno.test("parseArgs() calls unknown for undeclared options and positionals", () => {
  const calls: unknown[][] = [];
  const result = parseArgs(["--known=1", "--other=2", "file"], {
    string: ["known"],
    unknown(...call): boolean {
      calls.push(call);
      return false;
    },
  });
  assertEquals(calls, [["--other=2", "other", 2], ["file"]]);
  assertEquals(result, { known: "1", _: [] });
});

Deno.test("parseArgs() stops at the first positional when asked", () => {
  assertEquals(
    parseArgs(["-a", "--b=1", "run", "--c"], {
      stopEarly: true,
      boolean: ["a"],
    }),
    {
      a: true,
      b: 1,
      _: ["run", "--c"],
    },
  );
});
