import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import {
  type ImageLevels,
  imageLevels,
  imageNormalization,
} from "../../src/nn/image_normalization.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import {
  float,
  floats,
  graph,
  integers,
  model,
  node,
  value,
} from "./model_builder.ts";

const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];
const constants = [
  floats("mean", [1, 3, 1, 1], mean),
  floats("std", [3, 1, 1], std),
  floats("byte", [], [255]),
  floats("shift", [3, 1, 1], mean.map((m, c) => -m / std[c]!)),
  floats("scale", [3, 1, 1], std.map((s) => 1 / s)),
  floats("ones", [3], [1, 1, 1]),
  floats("small", [3], [0.01, -0.02, 0.03]),
  floats("bytes", [3], [123, 117, 104]),
  floats("spread", [3], [3400, 3260, 3290]),
  floats("map", [1, 2], [1, 2]),
  floats("w", [4, 3, 1, 1], new Float32Array(12)),
];

async function read(...nodes: NodeMessage[]): Promise<Graph> {
  const end = node("Conv", [nodes.at(-1)?.output?.[0] ?? "x", "w"], ["y"]);
  return await readOnnx(model(graph([...nodes, end], constants)));
}

async function found(
  ...nodes: NodeMessage[]
): Promise<ReturnType<typeof imageNormalization>> {
  return imageNormalization(await read(...nodes));
}

function assertImageNet(
  actual: ReturnType<typeof imageNormalization>,
  unit: number,
): void {
  for (let c = 0; c < 3; c++) {
    assertAlmostEquals(actual!.mean[c]!, mean[c]! * unit, 1e-5 * unit);
    assertAlmostEquals(actual!.std[c]!, std[c]! * unit, 1e-5 * unit);
  }
}

Deno.test("imageNormalization() finds ImageNet's mean and deviation", async () => {
  assertImageNet(
    await found(
      node("Sub", ["x", "mean"], ["a"]),
      node("Div", ["a", "std"], ["b"]),
    ),
    1,
  );
  assertImageNet(
    await found(
      node("Mul", ["scale", "x"], ["a"]),
      node("Identity", ["a"], ["b"]),
      node("Add", ["b", "shift"], ["c"]),
    ),
    1,
  );
});

Deno.test("imageNormalization() finds a range of 0 to 255", async () => {
  assertImageNet(
    await found(
      node("Div", ["x", "byte"], ["a"]),
      node("Sub", ["a", "mean"], ["b"]),
      node("Div", ["b", "std"], ["c"]),
    ),
    255,
  );
});

Deno.test("imageNormalization() finds what is turned round", async () => {
  const actual = await found(node("Sub", ["byte", "x"], ["a"]));
  assertEquals(actual, { mean: [255, 255, 255], std: [-1, -1, -1] });
});

Deno.test("imageNormalization() finds nothing where there is nothing", async () => {
  assertEquals(await found(), undefined);
  assertEquals(await found(node("Relu", ["x"], ["a"])), undefined);
  assertEquals(await found(node("Mul", ["x", "map"], ["a"])), undefined);
  assertEquals(await found(node("Div", ["std", "x"], ["a"])), undefined);
  assertEquals(
    await found(node("Add", ["x", "x"], ["a"])),
    undefined,
  );
});

Deno.test("imageLevels() tells which levels a network wants", async () => {
  const norm = (mean: string, variance: string) =>
    node("BatchNormalization", ["x", "ones", "small", mean, variance], ["a"]);
  const centre = [
    node("Sub", ["x", "mean"], ["a"]),
    node("Div", ["a", "std"], ["b"]),
  ];
  const cases: readonly (readonly [string, readonly NodeMessage[]])[] = [
    ["imagenet", []],
    ["imagenet", [node("Relu", ["x"], ["a"])]],
    ["imagenet", [norm("small", "ones")]],
    ["unit", centre],
    ["bytes", [node("Div", ["x", "byte"], ["a"])]],
    ["bytes", [norm("bytes", "spread")]],
  ];
  for (const [expected, nodes] of cases) {
    assertEquals(imageLevels(await read(...nodes)), expected);
  }
});

const CHANNEL_VALUES = [mean, std].map((values) =>
  values.map((value) => Math.fround(value))
);

/** The same normalisation in every way that exporters write it, from `x` to `y`. */
const SPELLINGS: readonly (readonly [
  what: string,
  levels: ImageLevels,
  nodes: readonly NodeMessage[],
  more?: readonly TensorMessage[],
])[] = [
  ["as literals", "unit", [
    node("Constant", [], ["m"], { value: { tensor: constants[0]! } }),
    node("Constant", [], ["s"], { value: { tensor: constants[1]! } }),
    node("Sub", ["x", "m"], ["a"]),
    node("Div", ["a", "s"], ["y"]),
  ]],
  ["of bytes as a literal", "bytes", [
    node("Constant", [], ["255"], { value_float: float(255) }),
    node("Div", ["x", "255"], ["a"]),
    node("Sub", ["a", "mean"], ["b"]),
    node("Div", ["b", "std"], ["y"]),
  ]],
  ["of constants that are computed", "bytes", [
    node("Mul", ["mean", "byte"], ["m"]),
    node("Mul", ["byte", "std"], ["s"]),
    node("Sub", ["x", "m"], ["a"]),
    node("Div", ["a", "s"], ["y"]),
  ]],
  ["with the deviation as a root", "unit", [
    node("Pow", ["std", "two"], ["variance"]),
    node("Sqrt", ["variance"], ["root"]),
    node("Reciprocal", ["root"], ["factor"]),
    node("Sub", ["x", "mean"], ["a"]),
    node("Mul", ["factor", "a"], ["y"]),
  ], [floats("two", [], [2])]],
  ["with a constant first", "unit", [
    node("Neg", ["mean"], ["m"]),
    node("Add", ["m", "x"], ["a"]),
    node("Mul", ["scale", "a"], ["y"]),
  ]],
  ["from a mean that loses the image", "unit", [
    node("Sub", ["mean", "x"], ["a"]),
    node("Neg", ["a"], ["b"]),
    node("Div", ["b", "std"], ["y"]),
  ]],
  ["behind a Clip of the image", "bytes", [
    node("Clip", ["x", "zero", "byte"], ["a"]),
    node("Sub", ["a", "bytes"], ["y"]),
  ], [floats("zero", [], [0])]],
  ["that is a Max and a Min alone", "bytes", [
    node("Max", ["zero", "x"], ["a"]),
    node("Min", ["a", "byte"], ["y"]),
  ], [floats("zero", [], [0])]],
  ["that is a Clip from 0 to 1 alone", "unit", [
    node("Clip", ["x", "zero", "one"], ["y"]),
  ], [floats("zero", [], [0]), floats("one", [], [1])]],
  ["from -1 to 1", "unit", [
    node("Mul", ["x", "two"], ["a"]),
    node("Sub", ["a", "one"], ["y"]),
  ], [floats("two", [], [2]), floats("one", [], [1])]],
  ["of bytes from -1 to 1", "bytes", [
    node("Div", ["x", "half"], ["a"]),
    node("Sub", ["a", "one"], ["y"]),
  ], [floats("half", [], [127.5]), floats("one", [], [1])]],
  ["that makes bytes of levels from 0 to 1", "unit", [
    node("Mul", ["x", "byte"], ["y"]),
  ]],
  ["by its mean alone", "unit", [node("Sub", ["x", "mean"], ["y"])]],
  ["by its deviation alone", "unit", [node("Div", ["x", "std"], ["y"])]],
  ["by a mean image", "bytes", [node("Sub", ["x", "picture"], ["y"])], [
    floats(
      "picture",
      [1, 3, 4, 4],
      Float32Array.from(
        { length: 48 },
        (_, i) => 255 * mean[Math.floor(i / 16)]! + (i % 2 ? 9 : -9),
      ),
    ),
  ]],
  ["by a BatchNormalization of bytes", "bytes", [
    node("BatchNormalization", ["x", "ones", "small", "bytes", "spread"], [
      "y",
    ]),
  ]],
  ["by a depthwise convolution", "unit", [
    node("Sub", ["x", "mean"], ["a"]),
    node("Conv", ["a", "factors"], ["y"], { group: 3, kernel_shape: [1, 1] }),
  ], [floats("factors", [3, 1, 1, 1], std.map((s) => 1 / s))]],
  ["by a convolution that flips channels", "unit", [
    node("Sub", ["x", "mean"], ["a"]),
    node("Conv", ["a", "factors"], ["y"], { kernel_shape: [1, 1] }),
  ], [
    floats("factors", [3, 3, 1, 1], [
      ...[0, 0, 1 / std[2]!],
      ...[0, 1 / std[1]!, 0],
      ...[1 / std[0]!, 0, 0],
    ]),
  ]],
  ["of flipped channels", "bytes", [
    node("Gather", ["x", "flip"], ["a"], { axis: 1 }),
    node("Sub", ["a", "blue"], ["y"]),
  ], [
    integers("flip", [2, 1, 0]),
    floats("blue", [3, 1, 1], mean.map((m) => m * 255).reverse()),
  ]],
  ["of flipped channels by a Slice", "unit", [
    node("Slice", ["x", "last", "end", "axis", "back"], ["a"]),
    node("Sub", ["a", "blue"], ["y"]),
  ], [
    integers("last", [-1]),
    integers("end", [-4]),
    integers("axis", [1]),
    integers("back", [-1]),
    floats("blue", [3, 1, 1], mean.toReversed()),
  ]],
  ["of single channels that are joined", "unit", [
    node("Split", ["x"], ["r", "g", "b"], { axis: 1 }),
    ...["r", "g", "b"].flatMap((name) => [
      node("Sub", [name, `mean ${name}`], [`${name} centred`]),
      node("Div", [`${name} centred`, `std ${name}`], [`${name} done`]),
    ]),
    node("Concat", ["b done", "g done", "r done"], ["y"], { axis: 1 }),
  ], [
    ...["r", "g", "b"].flatMap((name, c) => [
      floats(`mean ${name}`, [], [mean[c]!]),
      floats(`std ${name}`, [1], [std[c]!]),
    ]),
  ]],
  ["of ImageNet's levels to Inception's", "imagenet", [
    ...["r", "g", "b"].flatMap((name) => [
      node("Gather", ["x", `at ${name}`], [`${name} flat`], { axis: 1 }),
      node("Unsqueeze", [`${name} flat`, "axis"], [name]),
      node("Mul", [name, `scale ${name}`], [`${name} scaled`]),
      node("Add", [`${name} scaled`, `shift ${name}`], [`${name} done`]),
    ]),
    node("Concat", ["r done", "g done", "b done"], ["y"], { axis: 1 }),
  ], [
    integers("axis", [1]),
    ...["r", "g", "b"].flatMap((name, c) => [
      integers(`at ${name}`, [c], []),
      floats(`scale ${name}`, [], [std[c]! / 0.5]),
      floats(`shift ${name}`, [], [(mean[c]! - 0.5) / 0.5]),
    ]),
  ]],
  ["with channels last in between", "unit", [
    node("Transpose", ["x"], ["t"], { perm: [0, 2, 3, 1] }),
    node("Sub", ["t", "last mean"], ["a"]),
    node("Div", ["a", "last std"], ["b"]),
    node("Transpose", ["b"], ["y"], { perm: [0, 3, 1, 2] }),
  ], [floats("last mean", [3], mean), floats("last std", [1, 1, 1, 3], std)]],
  ["between operators that change nothing", "unit", [
    node("Cast", ["x"], ["a"], { to: 1 }),
    node("Dropout", ["a"], ["b"]),
    node("Sub", ["b", "mean"], ["c"]),
    node("Identity", ["c"], ["d"]),
    node("Div", ["d", "std"], ["y"]),
  ]],
  ["of flipped channels alone, which is none", "imagenet", [
    node("Gather", ["x", "flip"], ["y"], { axis: 1 }),
  ], [integers("flip", [2, 1, 0])]],
];

for (const [what, levels, nodes, more = []] of SPELLINGS) {
  Deno.test(`imageLevels() finds a normalisation ${what}`, async () => {
    const bytes = model(graph(
      [...nodes, node("Conv", ["y", "w"], ["z"])],
      [...constants, ...more],
      { outputs: [value("z", undefined)] },
    ));
    assertEquals(imageLevels(await readOnnx(bytes)), levels);
  });
}

Deno.test("imageNormalization() gives every colour its own mean where channels are flipped", async () => {
  for (const what of ["of single channels that are joined"]) {
    const [, , nodes, more = []] = SPELLINGS.find(([name]) => name === what)!;
    const bytes = model(graph(
      [...nodes, node("Conv", ["y", "w"], ["z"])],
      [...constants, ...more],
      { outputs: [value("z", undefined)] },
    ));
    const found = imageNormalization(await readOnnx(bytes));
    for (let c = 0; c < 3; c++) {
      assertAlmostEquals(found!.mean[c]!, CHANNEL_VALUES[0]![c]!, 1e-5);
      assertAlmostEquals(found!.std[c]!, CHANNEL_VALUES[1]![c]!, 1e-5);
    }
  }
});

const UNCLEAR: readonly (readonly [
  what: string,
  nodes: readonly NodeMessage[],
  says: string,
])[] = [
  ["that fits two kinds of levels", [
    node("Mul", ["x", "between"], ["y"]),
    node("Conv", ["y", "w"], ["z"]),
  ], "which fits levels for"],
  ["that is done for one of two branches", [
    node("Sub", ["x", "mean"], ["a"]),
    node("Div", ["a", "std"], ["y"]),
    node("Conv", ["y", "w"], ["b"]),
    node("Conv", ["x", "w"], ["c"]),
    node("Add", ["b", "c"], ["z"]),
  ], "in two ways"],
];

for (const [what, nodes, says] of UNCLEAR) {
  Deno.test(`imageLevels() asks for --normalise about a normalisation ${what}`, async () => {
    const bytes = model(graph(
      nodes,
      [...constants, floats("between", [], [3.5])],
      { outputs: [value("z", undefined)] },
    ));
    const network = await readOnnx(bytes);
    const error = assertThrows(() => imageLevels(network), OnnxError, says);
    assert(error.message.includes("--normalise"), error.message);
  });
}

Deno.test("imageLevels() takes a network whose normalisation is no number for one without", async () => {
  const bytes = model(graph(
    [node("Mul", ["x", "nan"], ["a"]), node("Conv", ["a", "w"], ["y"])],
    [...constants, floats("nan", [], [NaN])],
  ));
  assertEquals(imageLevels(await readOnnx(bytes)), "imagenet");
});
