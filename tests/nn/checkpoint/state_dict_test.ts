import { assert, assertEquals, assertThrows } from "@std/assert";
import { zipSync } from "fflate";
import { CheckpointError } from "../../../src/nn/checkpoint/checkpoint_error.ts";
import {
  checkpointFormat,
  readStateDict,
} from "../../../src/nn/checkpoint/state_dict.ts";
import { SafetensorsError } from "../../../src/nn/safetensors.ts";
import {
  archive,
  doubled,
  get,
  global,
  join,
  pickle,
  put,
  stateDict,
  storage,
  tensor,
  text,
  tuple,
} from "./pickle_bytes.ts";

function golden(name: string): Uint8Array<ArrayBuffer> {
  const folder = new URL("../../golden/checkpoint/", import.meta.url);
  return Deno.readFileSync(new URL(name, folder));
}

for (
  const [name, expected] of [
    ["tensors.zip.pth", "tensors.safetensors"],
    ["tensors.legacy.pth", "tensors.safetensors"],
    ["protocol4.zip.pth", "tensors.safetensors"],
    ["module.zip.pth", "module.safetensors"],
    ["module.legacy.pth", "module.safetensors"],
    ["wrapped.zip.pth", "module.safetensors"],
    ["wrapped.legacy.pth", "module.safetensors"],
  ]
) {
  Deno.test(`readStateDict() reads ${name} like ${expected}`, () => {
    const read = readStateDict(golden(name));
    const wanted = readStateDict(golden(expected));
    assertEquals([...read.keys()].sort(), [...wanted.keys()].sort());
    for (const [key, tensor] of wanted) assertEquals(read.get(key), tensor);
  });
}

Deno.test("checkpointFormat() tells the formats apart", () => {
  assertEquals(checkpointFormat(golden("module.safetensors")), "safetensors");
  assertEquals(
    checkpointFormat(golden("module.zip.pth")),
    "PyTorch zip archive",
  );
  assertEquals(
    checkpointFormat(golden("module.legacy.pth")),
    "PyTorch before 1.6",
  );
});

for (
  const [what, bytes, sentence] of [
    ["an empty file", join(), "it is empty, expected .safetensors"],
    [
      "a Git LFS pointer",
      join("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      "a Git LFS pointer",
    ],
    ["a web page", join("\n<!DOCTYPE html><html>"), "a web page"],
    ["a bare pickle", pickle("}"), "a pickle that torch.save did not write"],
    ["an image", join([0x89], "PNG\r\n"), 'begins with "�PNG'],
    [
      "a whole module",
      golden("whole_module.zip.pth"),
      'Refused "torch.nn.modules.container.Sequential": ',
    ],
    [
      "a whole module of PyTorch before 1.6",
      golden("whole_module.legacy.pth"),
      'Refused "torch.nn.modules.container.Sequential": ',
    ],
    ["TorchScript", golden("torchscript.pt"), "it is a TorchScript program"],
    [
      "a pickle that runs a command",
      archive(pickle(global("posix", "system"), tuple(text("true")), "R")),
      'Refused "posix.system": ',
    ],
    [
      "a persistent id that names a file",
      archive(pickle(tuple(text("file"), text("/etc/passwd")), "Q")),
      'Refused "persistent id file": ',
    ],
    ["a list", archive(pickle("]")), "it holds a list, expected a dict"],
    ["None", archive(pickle("N")), "it holds None"],
    ["a dict without tensors", archive(pickle("}")), "it has no tensors"],
    [
      "one tensor",
      archive(pickle(tensor(1, 0, [1], [1])), {
        "a/data/0": new Uint8Array(4),
      }),
      "it holds one tensor",
    ],
    [
      "an archive of something else",
      zipSync({ a: join("a") }, { level: 0 }),
      'no "data.pkl"',
    ],
    [
      "a compressed archive",
      zipSync({ "a/data.pkl": new Uint8Array(999) }),
      'entry "a/data.pkl" is compressed',
    ],
    [
      "an archive of a big-endian machine",
      archive(stateDict(tensor(1, 0, [1], [1])), {
        "a/byteorder": join("big"),
        "a/data/0": new Uint8Array(4),
      }),
      "big-endian",
    ],
    [
      "a storage that is not there",
      archive(stateDict(tensor(2, 0, [2], [1]))),
      'storage "0" has no bytes, 2 × F32 need 8',
    ],
    [
      "a storage that is too small",
      archive(stateDict(tensor(2, 0, [2], [1])), {
        "a/data/0": new Uint8Array(7),
      }),
      'storage "0" has 7 bytes, 2 × F32 need 8',
    ],
    [
      "a storage of an unknown type",
      archive(stateDict(storage(1, "ComplexFloatStorage"))),
      'Refused "torch.ComplexFloatStorage": ',
    ],
    [
      "a storage with a length below 0",
      archive(stateDict(storage(-1))),
      "description of a storage",
    ],
    [
      "a storage described in two ways",
      archive(pickle(storage(1), storage(2))),
      "described in two ways",
    ],
    [
      "a tensor beyond its storage",
      archive(stateDict(tensor(4, 1, [2, 2], [2, 1]))),
      "does not fit a storage of 4 elements",
    ],
    [
      "a tensor whose strides reach too far",
      archive(stateDict(tensor(4, 0, [2], [4]))),
      "does not fit a storage of 4 elements",
    ],
    [
      "a tensor expanded to billions of elements",
      archive(stateDict(tensor(1, 0, [40000, 40000], [0, 0]))),
      "does not fit a storage of 1 elements",
    ],
    [
      "a tensor whose size overflows",
      archive(stateDict(tensor(1, 0, [2 ** 30, 2 ** 30], [0, 0]))),
      "a tensor has shape [1073741824,1073741824]",
    ],
    [
      "a tensor with a negative size",
      archive(stateDict(tensor(1, 0, [-1], [1]))),
      "shape makes no sense",
    ],
    [
      "a tensor with a stride too few",
      archive(stateDict(tensor(4, 0, [2, 2], [1]))),
      "a tensor has shape [2,2], strides [1]",
    ],
    [
      "a tensor without a storage",
      archive(
        pickle(global("torch._utils", "_rebuild_tensor_v2"), tuple("N"), "R"),
      ),
      "a tensor has no storage",
    ],
  ] as [string, Uint8Array, string][]
) {
  Deno.test(`readStateDict() refuses ${what}`, () => {
    assertThrows(() => readStateDict(bytes), CheckpointError, sentence);
  });
}

Deno.test("readStateDict() refuses tensors that share one storage too often", () => {
  const shared = tensor(256, 0, [16, 16], [1, 16]);
  const entries = Array.from({ length: 200 }, (_, i) => [
    ...text(`w${i}`),
    ...(i === 0 ? [...shared, 0x71, 0] : [0x68, 0]),
    0x73,
  ]);
  const bytes = archive(pickle("}", ...entries), {
    "a/data/0": new Uint8Array(1024),
  });
  assertThrows(() => readStateDict(bytes), CheckpointError, "tensors overlap");
});

Deno.test("readStateDict() refuses a file cut anywhere", () => {
  for (const name of ["module.zip.pth", "module.legacy.pth"]) {
    const bytes = golden(name);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(
        () => readStateDict(bytes.subarray(0, length)),
        CheckpointError,
      );
    }
  }
});

Deno.test("readStateDict() never crashes on a damaged file", () => {
  for (
    const name of ["module.zip.pth", "module.legacy.pth", "module.safetensors"]
  ) {
    const good = golden(name);
    for (let at = 0; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] ^= 0x41;
      try {
        readStateDict(bytes);
      } catch (error) {
        assert(
          error instanceof CheckpointError || error instanceof SafetensorsError,
          `${name} byte ${at}: ${error}`,
        );
      }
    }
  }
});

Deno.test("readStateDict() refuses entries that claim more than the file", () => {
  const big = new Uint8Array(4000);
  const bytes = archive(pickle("}"), { "a/1": big, "a/2": big });
  const view = new DataView(bytes.buffer);
  // The central directory: make both entries 6000 bytes long.
  for (let at = 0; at < bytes.length - 4; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    if (view.getUint32(at + 20, true) !== 4000) continue;
    view.setUint32(at + 20, 6000, true);
    view.setUint32(at + 24, 6000, true);
  }
  assertThrows(() => readStateDict(bytes), CheckpointError, "entries claim");
});

Deno.test("readStateDict() reads a scalar tensor from a minimal archive", () => {
  const bytes = archive(stateDict(tensor(1, 0, [], [])), {
    "a/data/0": new Uint8Array(new Float32Array([3]).buffer),
  });
  assertEquals(
    [...readStateDict(bytes)],
    [["w", { dtype: "F32", shape: [], data: new Float32Array([3]) }]],
  );
});

/** A file of PyTorch before 1.6 of these pickles, after its magic number. */
function legacy(...pickles: readonly Uint8Array[]): Uint8Array {
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  return join(
    [0x80, 2, 0x8a, 10, ...magic],
    ".",
    pickle([0x4d, 0xe9, 0x03]),
    pickle("}", text("little_endian"), [0x88], "s"),
    ...pickles,
  );
}

const twoPow60 = doubled(60);
const long = "x".repeat(1 << 20);
const namedTuple = (first: readonly number[]): readonly number[] =>
  tuple(first, global("torch", "FloatStorage"), text("0"), text("cpu"), [
    0x4b,
    1,
  ]);

for (
  const [what, bytes, says] of [
    [
      "a state dict that contains itself",
      archive(pickle("}", put(0), text("state_dict"), get(0), "s")),
      "it has no tensors",
    ],
    [
      "state dicts one in the other",
      archive(pickle(
        ...Array.from({ length: 5000 }, () => ["}", text("model")]).flat(),
        "}",
        "s".repeat(5000),
      )),
      "it has no tensors",
    ],
    [
      "a list that contains itself as a storage's name",
      legacy(
        pickle("}"),
        pickle("]", put(0), get(0), "a"),
      ),
      "storage a list belongs to no tensor",
    ],
    [
      "2^60 values as a storage's name",
      legacy(pickle("}"), pickle("]", twoPow60, "a")),
      "storage a list belongs to no tensor",
    ],
    [
      "2^60 values as a protocol",
      join(
        legacy().subarray(0, 15),
        pickle(twoPow60),
      ),
      "protocol version a list",
    ],
    [
      "2^60 values as a persistent id",
      archive(pickle(twoPow60, "Q")),
      'Refused "persistent id a list"',
    ],
    [
      "2^60 values as the kind of a persistent id",
      archive(pickle(namedTuple(twoPow60), "Q")),
      'Refused "persistent id a list"',
    ],
    [
      "2^60 values as the name of a global",
      archive(pickle(twoPow60, text("x"), [0x93])),
      'names a global by a list and "x"',
    ],
    [
      "a global with a name without end",
      archive(pickle(global("torch", long))),
      'Refused "torch.xxxx',
    ],
    [
      "a storage with a name without end",
      legacy(pickle("}"), pickle("]", text(long), "a")),
      'storage "xxxx',
    ],
    [
      "a long list of which many dicts are made",
      archive(pickle(
        "]",
        put(0),
        "(",
        ...Array.from({ length: 20_000 }, () => "]"),
        "e",
        ...Array.from(
          { length: 2000 },
          () => [...join(global("torch", "Size"), "(", get(0), "tR")],
        ),
      )),
      "too much of the same values",
    ],
    [
      "a tensor of a thousand dimensions",
      archive(
        stateDict(
          tensor(1, 0, new Array(1000).fill(1), new Array(1000).fill(1)),
        ),
        { "a/data/0": new Uint8Array(4) },
      ),
      "shape makes no sense",
    ],
  ] as const
) {
  Deno.test(`readStateDict() refuses ${what} in a short sentence`, () => {
    const error = assertThrows(() => readStateDict(bytes), CheckpointError);
    assert(error.message.includes(says), error.message);
    assert(error.message.length < 500, `${error.message.length} characters`);
  });
}
