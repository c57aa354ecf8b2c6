import { assertEquals } from "@std/assert";
import { PatchFeatures } from "../../../src/core/features/mod.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import { type Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import { Network, toNhwc } from "../../../src/nn/mod.ts";
import { GOLDEN_CASES, readGolden } from "../../patchcore_golden.ts";
import { assertAllClose, gpuTest } from "../../testing.ts";

for (const name of GOLDEN_CASES) {
  gpuTest(
    `PatchFeatures equals the published embeddings: ${name}`,
    async (gpu, _, shared) => {
      const golden = await readGolden(shared, name);
      const { metadata } = golden;
      const number = (key: string) => Number(metadata.get(key));
      const settings = resolveSettings({
        preset: "reference",
        layers: metadata.get("layers")!.split(","),
        patchSize: number("patchsize"),
        stride: number("stride"),
        layerDim: number("pretrain_embed_dimension"),
        dim: number("target_embed_dimension"),
      });
      const file = metadata.get("backbone")!.replace("*", "folded");
      const bytes = await Deno.readFile(shared("golden", file));
      using network = await Network.load(gpu, bytes, { taps: settings.layers });
      for (const split of ["train", "test"]) {
        const shape = golden.shape(`${split}_input`);
        using session = await network.session(shape);
        gpu.write(
          session.input,
          toNhwc(golden.floats(`${split}_input`), shape),
        );
        const taps = network.taps.map(({ name, tensor }) => {
          const [, channels, height, width] = session.shape(tensor);
          return {
            name,
            channels: channels!,
            height: height!,
            width: width!,
          };
        });
        using features = new PatchFeatures(gpu, taps, settings, shape[0]!);
        assertEquals([features.height, features.width], [...golden.grid]);
        const actual = await embed(
          gpu,
          features,
          session,
          network.outputs,
          shape[0]!,
        );
        const expected = golden.floats(`${split}_embedding`);
        assertAllClose(actual, expected, {
          rtol: 1e-4,
          atol: 1e-5,
          what: split,
        });
      }
    },
    { shared: true },
  );
}

async function embed(
  gpu: Gpu,
  features: PatchFeatures,
  session: Awaited<ReturnType<Network["session"]>>,
  outputs: readonly string[],
  images: number,
): Promise<Float32Array> {
  const { patches, paddedDim, dim } = features;
  using rows = RowChunks.allocate(gpu, images * patches, paddedDim, "features");
  using program = gpu.program("patch features");
  const taps = outputs.map((name) => session.taps.get(name)!);
  features.record(program, taps, rows);
  await program.compile();
  gpu.submit([session.program, program]);
  assertEquals(dim, paddedDim);
  return await gpu.readFloats(rows.chunks[0]!);
}
