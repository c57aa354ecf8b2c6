/** Files that went wrong once, as `../shared/cases/README.md` lists them. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readStateDict } from "../../src/nn/checkpoint/state_dict.ts";
import { CheckpointError } from "../../src/nn/checkpoint/checkpoint_error.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { imageLevels } from "../../src/nn/image_normalization.ts";
import { Network, OnnxError, readOnnx, toNhwc } from "../../src/nn/mod.ts";
import { nominalShape } from "../../src/nn/shape_inference.ts";
import { findTaps, levelsProblem } from "../../src/nn/taps.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { interpret } from "../reference/interpreter.ts";
import { floats, size } from "../reference/operands.ts";
import {
  gpuTest,
  randomFloats,
  relativeError,
  sharedPath,
  sharedTest,
} from "../testing.ts";

async function read(name: string): Promise<Graph> {
  const path = (file: string): string => {
    const found = sharedPath("cases", "onnx", file);
    if (found === undefined) throw new Error(`No ${file} in ../shared/cases`);
    return found;
  };
  return await readOnnx(await Deno.readFile(path(`${name}.onnx`)), {
    readExternal: async (location, offset, length) =>
      (await Deno.readFile(path(location))).subarray(
        offset,
        length === undefined ? undefined : offset + length,
      ),
  });
}

const LEVELS: Readonly<Record<string, ReturnType<typeof imageLevels>>> = {
  "05_norm_255buffers": "bytes",
  "05_norm_255buffers2": "bytes",
  "05_norm_255buffers2_nofold": "bytes",
  "05_norm_buffers": "unit",
  "05_norm_consttensor": "unit",
  "05_norm_inception": "imagenet",
  "05_norm_rgb2bgr": "imagenet",
  "12_constfirst_cast": "bytes",
};

sharedTest(
  "imageLevels() finds the normalisation of every spelling in the shared cases",
  async () => {
    for (const [name, levels] of Object.entries(LEVELS)) {
      assertEquals(imageLevels(await read(name)), levels, name);
    }
  },
);

const FOUR = "layer1@4 layer2@8 layer3@16 layer4@32";
const THREE = "layer1@4 layer2@8 layer3@16";
/** Cases that run, with their levels. */
const RUN: Readonly<Record<string, string>> = {
  "05_norm_inception": FOUR,
  "05_norm_rgb2bgr": FOUR,
  "12_constfirst_cast": FOUR,
  "13_qdq_weights_only": FOUR,
  "14_if_after": FOUR,
  "15_int16_init_in_head": FOUR,
  "15_shape_output": FOUR,
  "15_string_const_in_head": FOUR,
  "15_string_init_in_head": FOUR,
  "15_uint64_const_in_head": FOUR,
  "16_second_input_only_in_head": FOUR,
  "17_cast_inf_to_int64": FOUR,
  "20_act_prelu": "layer1@4 layer2@8",
  "21_posenc": THREE,
  "21_spatialatt": THREE,
  "22_se_avg": THREE,
  "22_se_gap": THREE,
  "23_transpose_transpose": FOUR,
  "24_key_collision": "layer1@4",
  "24_sum2": "layer1@4",
  "25_temp_collision2": "",
};

if (sharedPath("cases") === undefined) {
  Deno.test.ignore(
    "Network runs the shared cases (skipped: no ../shared)",
    () => {},
  );
} else {
  gpuTest(
    "Network runs the shared cases as the reference does",
    async (gpu, t) => {
      for (const [name, levels] of Object.entries(RUN)) {
        await t.step(name, async () => {
          const graph = await read(name);
          const taps = findTaps(graph);
          assertEquals(
            taps.map(({ name, stride }) => `${name}@${stride}`).join(" "),
            levels,
          );
          const names = taps.map(({ tensor }) => tensor);
          const wanted = names.length > 0 ? names : graph.outputs;
          using network = new Network(gpu, graph, { taps: wanted });
          const shape = [...nominalShape(graph)];
          const x = randomFloats(7, size(shape));
          using session = await network.session(shape);
          gpu.write(session.input, toNhwc(x, shape));
          session.program.run();
          const needed = network.graph;
          const expected = interpret(needed, floatTensor(shape, x));
          for (const tensor of wanted) {
            const error = relativeError(
              await session.read(tensor),
              floats(expected.get(tensor)!),
            );
            assert(error < 1e-5, `${tensor}: relative error ${error}`);
          }
        });
      }
    },
  );

  gpuTest(
    "Network keeps a NaN of the shared cases through Relu",
    async (gpu) => {
      using network = new Network(gpu, await read("25_nan_relu"));
      using session = await network.session([1, 3, 32, 32]);
      session.program.run();
      assert((await session.read("y")).every(Number.isNaN));
    },
  );

  gpuTest(
    "Network refuses the shared cases that cannot run, naming what cannot",
    async (gpu, t) => {
      for (const [name, says] of Object.entries(REFUSED)) {
        await t.step(name, async () => {
          const error = await assertRejects(async () => {
            const graph = await read(name);
            const taps = findTaps(graph).map(({ tensor }) => tensor);
            using network = new Network(
              gpu,
              graph,
              taps.length > 0 ? { taps } : {},
            );
            network.check();
          }, OnnxError);
          assert(error.message.includes(says), error.message);
        });
      }
    },
  );
}

const REFUSED: Readonly<Record<string, string>> = {
  "07_nhwc_noshape": "channels last",
  "08_gray": "the model expects 1",
  "09_training":
    'BatchNormalization "/bn/BatchNormalization": it is in training',
  "09_training_dropout_only": 'Dropout "/d/Dropout": it is in training mode',
  "10_ext_lfs": 'data file "10_lfs.data" is a Git LFS pointer',
  "21_groupnorm": 'InstanceNormalization "/gn/InstanceNormalization"',
  "constantofshape_20_used": "ConstantOfShape",
  "msg-3523": 'Cannot run Gather "/Gather_3": index 3.98',
  "v23.test_shape.C0": "none of its outputs is computed from the image",
  "v23.test_training_dropout.C0": "it is in training mode",
  "v23.test_training_dropout_default.C0": "it is in training mode",
  "view": "none of its outputs is computed from the image",
};

sharedTest(
  "findTaps() finds the levels of the shared cases that it lost",
  async () => {
    for (const name of ["21_groupnorm", "22_se_avg", "22_se_gap"]) {
      const taps = findTaps(await read(name));
      const list = taps.map(({ name, stride }) => `${name}@${stride}`).join(
        " ",
      );
      assertEquals(list, THREE, name);
    }
  },
);

sharedTest(
  "findTaps() finds the blocks of the shared transformer",
  async () => {
    const graph = await read("dinov2_op17_dyn");
    assertEquals(levelsProblem(graph), undefined);
    assertEquals(
      findTaps(graph).map(({ name, stride }) => `${name}@${stride}`),
      ["blocks.0@16", "blocks.1@16"],
    );
  },
);

sharedTest(
  "readOnnx() reads 60,000 nameless operators of the shared cases",
  async () => {
    const { nodes } = await read("unnamed_60k");
    assertEquals(new Set(nodes.map(({ name }) => name)).size, 60_001);
  },
);

sharedTest(
  "readStateDict() refuses the shared pickles in a short sentence",
  async () => {
    const folder = sharedPath("cases", "pickles");
    assert(folder !== undefined);
    for await (const { name } of Deno.readDir(folder)) {
      const bytes = await Deno.readFile(`${folder}/${name}`);
      const error = assertThrows(() => readStateDict(bytes), CheckpointError);
      assert(error.message.length < 300, `${name}: ${error.message}`);
    }
  },
);
