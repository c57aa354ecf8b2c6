import { assert, assertEquals } from "@std/assert";
import {
  chooseConv,
  convCandidates,
  type ConvProblem,
  convTileFor,
  formatChoice,
  Network,
  type NetworkOptions,
  parseChoice,
  problemKey,
  toNhwc,
} from "../../src/nn/mod.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { node } from "./model_builder.ts";
import { constant, modelCase } from "./model_case.ts";

const TARGET = { precision: "f32" } as const;
const TILES = ["direct", "shared", "subgroup8"] as const;

/** 3 × 3 at 14 × 14: deep enough for every candidate. */
const DEEP: ConvProblem = {
  images: 1,
  input: [14, 14],
  output: [14, 14],
  inputChannels4: 64,
  outputChannels4: 16,
  kernel: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
};

Deno.test.each<[string, Partial<GPUAdapterInfo>, number, string]>([
  ["llvmpipe", { vendor: "65541", description: "llvmpipe" }, 8, "subgroup8"],
  ["llvmpipe by OpenGL", { description: "llvmpipe (LLVM 15)" }, 0, "direct"],
  ["SwiftShader", { description: "SwiftShader Device" }, 4, "direct"],
  ["a fallback adapter", { isFallbackAdapter: true }, 0, "direct"],
  ["Apple in a browser", { vendor: "apple" }, 0, "direct"],
  ["Apple on Metal", { vendor: "0", description: "Apple M2" }, 32, "direct"],
  ["Apple on Vulkan", { vendor: "4203" }, 32, "direct"],
  ["NVIDIA", { vendor: "4318", description: "NVIDIA H100" }, 32, "shared"],
  ["Intel", { vendor: "intel", architecture: "xe" }, 0, "shared"],
])("convTileFor() knows %s", (_, info, subgroupSize, tile) => {
  const adapterInfo = {
    ...{ vendor: "", device: "", description: "", architecture: "" },
    ...info,
  } as GPUAdapterInfo;
  assertEquals(convTileFor({ subgroupSize, adapterInfo }), tile);
});

Deno.test("every candidate can be written down and read back", () => {
  for (const tile of TILES) {
    const candidates = convCandidates(tile, DEEP);
    const texts = candidates.map(formatChoice);
    assertEquals(texts, [...new Set(texts)]);
    assertEquals(texts.map(parseChoice), candidates);
  }
  for (const text of ["", "winograd", "fast", "shared 3", "toString"]) {
    assertEquals(parseChoice(text), undefined);
  }
});

Deno.test("chooseConv() takes what was measured, else the first candidate", () => {
  for (const tile of TILES) {
    const candidates = convCandidates(tile, DEEP);
    assertEquals(chooseConv({ ...TARGET, tile }, DEEP), candidates[0]);
    for (const choice of candidates) {
      const choices = new Map([[problemKey(DEEP, TARGET), choice]]);
      assertEquals(chooseConv({ ...TARGET, tile, choices }, DEEP), choice);
    }
  }
});

Deno.test("chooseConv() keeps the default where a choice is impossible", () => {
  const narrow = { ...DEEP, inputChannels4: 1 };
  const choice = { kernel: "shared", winograd: true, splits: 1 } as const;
  const choices = new Map([[problemKey(narrow, TARGET), choice]]);
  const chosen = chooseConv({ ...TARGET, tile: "shared", choices }, narrow);
  assertEquals(chosen.winograd, false);
});

Deno.test("convCandidates() add the same up in batches of any size", () => {
  for (const tile of TILES) {
    for (
      const [inputChannels4, side] of [[4, 56], [64, 14], [512, 7], [16, 224]]
    ) {
      const output = [side!, side!] as const;
      for (const kernel of [[1, 1], [3, 3]] as const) {
        const sums = [1, 2, 8, 64].flatMap((images) =>
          convCandidates(tile, {
            ...DEEP,
            ...{ images, kernel, output, input: output },
            inputChannels4: inputChannels4!,
          }).map(({ winograd, splits }) => `${winograd} ${splits}`)
        );
        assertEquals(
          new Set(sums).size,
          1,
          `${tile} ${inputChannels4} ${side}`,
        );
      }
    }
  }
});

Deno.test("problemKey() tells batches of one from others, and precisions", () => {
  const keys = [1, 2, 8].map((images) =>
    problemKey({ ...DEEP, images }, TARGET)
  );
  assert(keys[0] !== keys[1]);
  assertEquals(keys[1], keys[2]);
  assert(keys[0] !== problemKey(DEEP, { precision: "f16" }));
});

const CASES: readonly {
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly stride: number;
}[] = [
  { shape: [1, 256, 14, 14], outputs: 64, stride: 1 },
  { shape: [3, 128, 9, 7], outputs: 45, stride: 2 },
];

for (const { shape, outputs, stride } of CASES) {
  gpuTest(
    `every candidate gives the same bits of a convolution of [${shape}], stride ${stride}`,
    async (gpu, t) => {
      const { bytes } = modelCase("Conv", shape, [
        node("Conv", ["x", "w", "b"], ["c"], {
          pads: [1, 1, 1, 1],
          strides: [stride, stride],
        }),
        node("Relu", ["c"], ["y"]),
      ], [constant("w", [outputs, shape[1]!, 3, 3]), constant("b", [outputs])]);
      const graph = await readOnnx(bytes);
      const image = randomFloats(5, shape.reduce((a, b) => a * b));
      const run = async (options: NetworkOptions): Promise<Float32Array> => {
        using network = new Network(gpu, graph, options);
        using session = await network.session(shape);
        gpu.write(session.input, toNhwc(image, shape));
        session.program.run();
        return await session.read(network.outputs[0]!);
      };
      const expected = await run({ tile: "plain" });
      for (const tile of TILES) {
        const ignore = tile === "subgroup8" && gpu.subgroupSize !== 8;
        using network = new Network(gpu, graph, { tile });
        const [[key, problem]] = [...network.plan(shape).problems] as [
          [string, ConvProblem],
        ];
        let first: Float32Array | undefined;
        for (const choice of convCandidates(tile, problem)) {
          const name = `${tile}: ${formatChoice(choice)}`;
          await t.step({
            name,
            ignore,
            fn: async () => {
              const choices = new Map([[key, choice]]);
              const actual = await run({ tile, choices });
              const error = relativeError(actual, expected);
              assert(error <= 2e-5, `relative error ${error}`);
              first ??= actual;
              assertEquals(actual, first);
            },
          });
        }
      }
    },
  );
}
