import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BASELINE_MAP } from "../../../src/core/baselines/scored_images.ts";
import {
  planSpade,
  Spade,
  type SpadeOptions,
  type SpadeTaps,
} from "../../../src/core/baselines/spade.ts";
import type { Gpu, Tensor } from "../../../src/gpu/mod.ts";
import { spade, type SpadeImage } from "../../reference/spade.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { withoutSubgroups } from "../coreset/some_rows.ts";

type Shape = readonly [number, number, number];

const SIZE = [19, 26] as const;

function images(
  seed: number,
  count: number,
  layers: readonly Shape[],
  last: Shape,
  offset = 0,
): SpadeImage[] {
  const tap = (shape: Shape, i: number) => ({
    height: shape[0],
    width: shape[1],
    channels: shape[2],
    data: randomFloats(seed + i, shape[0] * shape[1] * shape[2])
      .map((x) => offset + x),
  });
  return Array.from({ length: count }, (_, n) => ({
    layers: layers.map((shape, i) => tap(shape, n * 1000 + i)),
    last: tap(last, n * 1000 + 500),
  }));
}

/** Taps as networks leave them: channels padded to a multiple of 4. */
function upload(gpu: Gpu, batch: readonly SpadeImage[]): SpadeTaps {
  const tensor = (taps: readonly SpadeImage["last"][]): Tensor => {
    const { height, width, channels } = taps[0]!;
    const padded = Math.ceil(channels / 4) * 4;
    const data = new Float32Array(taps.length * height * width * padded);
    taps.forEach((tap, n) => {
      for (let i = 0; i < height * width * channels; i++) {
        const pixel = Math.floor(i / channels);
        data[(n * height * width + pixel) * padded + i % channels] = tap
          .data[i]!;
      }
    });
    return gpu.upload(data, [taps.length, height, width, padded]);
  };
  return {
    layers: batch[0]!.layers.map((_, i) =>
      tensor(batch.map(({ layers }) => layers[i]!))
    ),
    last: tensor(batch.map(({ last }) => last)),
  };
}

function dispose({ layers, last }: SpadeTaps): void {
  for (const tensor of [...layers, last]) tensor.dispose();
}

function optionsFor(
  layers: readonly Shape[],
  last: Shape,
  count: number,
): SpadeOptions {
  const tap = ([height, width, channels]: Shape, i: number) => ({
    name: `layer${i + 1}`,
    height,
    width,
    channels,
  });
  return {
    layers: layers.map(tap),
    last: tap(last, 3),
    images: count,
    size: SIZE,
  };
}

const PYRAMID = [[9, 9, 6], [5, 5, 8], [3, 3, 10]] as const;

for (
  const { name, layers, last, train, test, neighbours, kappa, pyramid, ...rest }
    of [
      {
        name: "one pixel",
        layers: [[1, 1, 3]],
        last: [1, 1, 5],
        train: 1,
        test: 1,
        neighbours: 1,
      },
      {
        name: "a pyramid",
        layers: PYRAMID,
        last: [2, 2, 12],
        train: 6,
        test: 3,
        neighbours: 3,
      },
      {
        name: "layers on their own",
        layers: PYRAMID,
        last: [2, 2, 12],
        train: 6,
        test: 2,
        neighbours: 4,
        pyramid: "layers",
      },
      {
        name: "more neighbours than images",
        layers: [[7, 10, 5], [4, 5, 4]],
        last: [2, 3, 8],
        train: 3,
        test: 2,
        neighbours: 50,
      },
      {
        name: "several neighbours a pixel",
        layers: PYRAMID,
        last: [1, 1, 4],
        train: 5,
        test: 2,
        neighbours: 2,
        kappa: 3,
        distance: "squared",
      },
      {
        name: "more images than a submit",
        layers: [[4, 4, 4]],
        last: [1, 1, 4],
        train: 20,
        test: 1,
        neighbours: 19,
      },
      {
        name: "features far from the origin",
        layers: PYRAMID,
        last: [2, 2, 12],
        train: 4,
        test: 2,
        neighbours: 2,
        offset: 20,
      },
    ] as readonly {
      name: string;
      layers: readonly Shape[];
      last: Shape;
      train: number;
      test: number;
      neighbours: number;
      kappa?: number;
      pyramid?: "layers";
      distance?: "squared";
      offset?: number;
    }[]
) {
  gpuTest(`Spade scores as the float64 reference: ${name}`, async (gpu) => {
    const trained = images(1, train, layers, last, rest.offset);
    const tested = images(777, test, layers, last, rest.offset);
    const options = {
      neighbours,
      kappa: kappa ?? 1,
      pyramid: pyramid ?? "concat",
      distance: rest.distance ?? "euclidean",
    } as const;
    using detector = new Spade(gpu, {
      ...optionsFor(layers, last, train),
      ...options,
    });
    const first = upload(gpu, trained.slice(0, 2));
    await detector.add(first);
    dispose(first);
    if (train > 2) {
      const others = upload(gpu, trained.slice(2));
      await detector.add(others);
      dispose(others);
    }
    const queries = upload(gpu, tested);
    const calls: number[] = [];
    const result = await detector.score(queries, test, (done) => {
      calls.push(done);
    });
    assertEquals(calls.at(-1), test * Math.min(neighbours, train));
    const pixels = SIZE[0] * SIZE[1];
    tested.forEach((image, n) => {
      const expected = spade(trained, image, {
        ...options,
        size: SIZE,
        map: BASELINE_MAP,
      });
      assertAllClose([result.scores[n]!], [expected.score], { rtol: 1e-5 });
      assertAllClose(
        result.maps.subarray(n * pixels, (n + 1) * pixels),
        expected.map,
        { rtol: 1e-4, atol: 1e-5 },
      );
    });
    assertEquals(await detector.score(queries), result);
    dispose(queries);
  });
}

gpuTest("Spade gives the same without subgroups", async (gpu) => {
  const last = [1, 1, 4] as const;
  const trained = images(1, 3, PYRAMID, last);
  const tested = images(9, 1, PYRAMID, last);
  const run = async (device: Gpu) => {
    using detector = new Spade(device, optionsFor(PYRAMID, last, 3));
    const taps = upload(gpu, trained);
    await detector.add(taps);
    const queries = upload(gpu, tested);
    const result = await detector.score(queries);
    dispose(taps);
    dispose(queries);
    return result;
  };
  assertAllClose(
    (await run(withoutSubgroups(gpu))).maps,
    (await run(gpu)).maps,
  );
});

gpuTest("Spade says what does not fit", async (gpu) => {
  const layers = [[4, 4, 4]] as const;
  const last = [1, 1, 4] as const;
  using detector = new Spade(gpu, optionsFor(layers, last, 2));
  const taps = upload(gpu, images(1, 3, layers, last));
  await assertRejects(() => detector.score(taps), RangeError, "no image");
  await assertRejects(() => detector.add(taps), RangeError, "taken for 2");
  await assertRejects(
    () => detector.add({ layers: [taps.last], last: taps.last }, 1),
    RangeError,
    'tap "layer1" has shape [3,1,1,4]',
  );
  dispose(taps);
  const options = optionsFor(layers, last, 2);
  assertThrows(
    () => planSpade({ ...options, kappa: 17 }),
    RangeError,
    "kappa must be an integer from 1 to 16",
  );
});

Deno.test("planSpade() keeps layers, not concatenated features", () => {
  const tap = (name: string, side: number, channels: number) => ({
    name,
    height: side,
    width: side,
    channels,
  });
  const plan = planSpade({
    layers: [
      tap("layer1", 56, 256),
      tap("layer2", 28, 512),
      tap("layer3", 14, 1024),
    ],
    last: tap("layer4", 7, 2048),
    images: 213,
    size: [224, 224],
  });
  assertEquals(plan.neighbours, 50);
  assertEquals(plan.galleryBytes, 213 * 4 * (1_404_928 + 2048));
  assert(plan.bytes < 1.35e9, `${plan.bytes} bytes`);
});
