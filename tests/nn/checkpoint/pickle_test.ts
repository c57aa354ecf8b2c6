import { assert, assertEquals, assertThrows } from "@std/assert";
import { ByteReader } from "../../../src/nn/checkpoint/byte_reader.ts";
import { CheckpointError } from "../../../src/nn/checkpoint/checkpoint_error.ts";
import {
  PickleTuple,
  type PickleValue,
  readPickle,
} from "../../../src/nn/checkpoint/pickle.ts";
import { TORCH_GLOBALS } from "../../../src/nn/checkpoint/torch_globals.ts";
import { global, int, join, pickle, text, tuple } from "./pickle_bytes.ts";

function read(bytes: Uint8Array): PickleValue {
  return readPickle(new ByteReader(bytes), { globals: TORCH_GLOBALS });
}

// Python: a = [1, -2, 300, 70000, 2**60, -2**70, 2.5]; pickle.dumps({"a": a,
// "b": (None, True, "ü"), "c": ((), (1,), {}, b"x", (1, 2)),
// "d": OrderedDict(k=False), "e": a}, protocol), with "x" in protocol 2
const DUMPS: readonly (readonly [number, string])[] = [
  [
    2,
    "80027d71002858010000006171015d7102284b014afeffffff4d2c014a701101008a0800000000000000108a090000000000000000c04740040000000000006558010000006271034e885802000000c3bc7104877105580100000063710628294b018571077d710858010000007871094b014b0286710a74710b580100000064710c63636f6c6c656374696f6e730a4f726465726564446963740a710d2952710e58010000006b710f897358010000006571106802752e",
  ],
  [
    3,
    "80037d71002858010000006171015d7102284b014afeffffff4d2c014a701101008a0800000000000000108a090000000000000000c04740040000000000006558010000006271034e885802000000c3bc7104877105580100000063710628294b018571077d710843017871094b014b0286710a74710b580100000064710c63636f6c6c656374696f6e730a4f726465726564446963740a710d2952710e58010000006b710f897358010000006571106802752e",
  ],
  [
    4,
    "80049590000000000000007d94288c0161945d94284b014afeffffff4d2c014a701101008a0800000000000000108a090000000000000000c0474004000000000000658c0162944e888c02c3bc9487948c01639428294b0185947d94430178944b014b02869474948c0164948c0b636f6c6c656374696f6e73948c0b4f726465726564446963749493942952948c016b9489738c0165946802752e",
  ],
  [
    5,
    "80059590000000000000007d94288c0161945d94284b014afeffffff4d2c014a701101008a0800000000000000108a090000000000000000c0474004000000000000658c0162944e888c02c3bc9487948c01639428294b0185947d94430178944b014b02869474948c0164948c0b636f6c6c656374696f6e73948c0b4f726465726564446963749493942952948c016b9489738c0165946802752e",
  ],
];

for (const [protocol, hex] of DUMPS) {
  Deno.test(`readPickle() reads plain data of protocol ${protocol}`, () => {
    const value = read(Uint8Array.fromHex(hex)) as Map<string, PickleValue>;
    const a = [1, -2, 300, 70000, 2n ** 60n, -(2n ** 70n), 2.5];
    const x = protocol === 2 ? "x" : new Uint8Array([0x78]);
    assertEquals(
      value,
      new Map<string, PickleValue>([
        ["a", a],
        ["b", new PickleTuple([null, true, "ü"])],
        [
          "c",
          new PickleTuple([
            new PickleTuple([]),
            new PickleTuple([1]),
            new Map(),
            x,
            new PickleTuple([1, 2]),
          ]),
        ],
        ["d", new Map([["k", false]])],
        ["e", a],
      ]),
    );
    assert(value.get("a") === value.get("e"));
  });

  Deno.test(`readPickle() refuses protocol ${protocol} cut anywhere`, () => {
    const bytes = Uint8Array.fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => read(bytes.subarray(0, length)), CheckpointError);
    }
  });

  Deno.test(`readPickle() never crashes on damaged protocol ${protocol}`, () => {
    const good = Uint8Array.fromHex(hex);
    for (let at = 0; at < good.length; at++) {
      for (let value = 0; value < 256; value++) {
        const bytes = good.slice();
        bytes[at] = value;
        try {
          read(bytes);
        } catch (error) {
          assert(error instanceof CheckpointError, String(error));
        }
      }
    }
  });
}

const REFUSED: readonly (readonly [string, Uint8Array])[] = [
  [
    "posix.system",
    pickle(global("posix", "system"), tuple(text("echo")), "R"),
  ],
  ["builtins.eval", pickle(text("builtins"), text("eval"), [0x93])],
  ["__builtin__.getattr", pickle(global("__builtin__", "getattr"))],
  ["torch.load", pickle(global("torch", "load"))],
  ["torch.__dict__", pickle(global("torch", "__dict__"))],
  ["constructor.constructor", pickle(global("constructor", "constructor"))],
  [
    "numpy.core.multiarray.scalar",
    pickle(global("numpy.core.multiarray", "scalar")),
  ],
  [
    "torch.FloatStorage()",
    pickle(global("torch", "FloatStorage"), tuple(int(3)), "R"),
  ],
  ["pickle opcode INST", join("iposix\nsystem\n.")],
  ["pickle opcode NEWOBJ", pickle("]", ")", [0x81])],
  ["pickle opcode EXT1", pickle([0x82, 1])],
  ["attributes of an object", pickle("]", "}b")],
  ["attributes of an object", pickle(global("torch", "Size"), "}b")],
  ["persistent id", pickle(text("file:///etc/passwd"), "Q")],
  ["posix.\ufffd[2Jsystem", pickle(global("posix", "\x1b[2Jsystem"))],
];

for (const [what, bytes] of REFUSED) {
  Deno.test(`readPickle() refuses ${JSON.stringify(what)} by name`, () => {
    assertThrows(() => read(bytes), CheckpointError, `Refused "${what}": `);
  });
}

const MALFORMED: readonly (readonly [string, Uint8Array])[] = [
  ["pickle protocol 6", join([0x80, 6], "N.")],
  ["is no pickle opcode", pickle([0xff])],
  ["takes more from its stack", pickle()],
  ["takes more from its stack", pickle("(")],
  ["no mark", pickle("N", "t")],
  ["appends to no list", pickle("}", "N", "a")],
  ["sets items of no dict", pickle("]", "N", "N", "s")],
  ["sets items of no dict", pickle("}", "(", "N", "u")],
  ["recalls value 7, which it never kept", pickle("h", [7])],
  ["calls what is no function", pickle("]", ")", "R")],
  ["is not UTF-8", pickle([0x58, 1, 0, 0, 0, 0xff])],
  ["ends within a line", pickle("cposix")],
  [
    "4294967295 bytes expected at byte 7, 1 left",
    pickle("X", [
      255,
      255,
      255,
      255,
    ]),
  ],
  [
    "OrderedDict is made of no list",
    pickle(
      global("collections", "OrderedDict"),
      tuple(int(3)),
      "R",
    ),
  ],
  [
    "an entry that is no pair",
    pickle(
      global("collections", "OrderedDict"),
      tuple(["]".charCodeAt(0), ...tuple(int(3)), "a".charCodeAt(0)]),
      "R",
    ),
  ],
];

for (const [sentence, bytes] of MALFORMED) {
  Deno.test(`readPickle() throws "${sentence}" on ${bytes.toHex()}`, () => {
    assertThrows(() => read(bytes), CheckpointError, sentence);
  });
}

Deno.test("readPickle() reads an OrderedDict made of pairs", () => {
  const pairs = join("](", tuple(text("k"), int(1)), "e");
  const bytes = pickle(
    global("collections", "OrderedDict"),
    tuple([...pairs]),
    "R",
  );
  assertEquals(read(bytes), new Map([["k", 1]]));
});
