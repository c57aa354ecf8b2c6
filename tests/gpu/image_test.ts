import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Gpu,
  GpuError,
  imageOf,
  type Storage,
  type Tensor,
} from "../../src/gpu/mod.ts";
import { toHalf } from "../../src/nn/layout.ts";
import { IMAGE_WIDTH, type Kernel } from "../../src/wgsl/kernel.ts";
import { gpuTest, randomFloats } from "../testing.ts";

/** Copies an image to a buffer. */
function copying(
  access: "image_f32" | "image_f16",
  format: string,
  type: string,
  vector: string,
): Kernel<{ count: number }> {
  return {
    name: `copy_${access}`,
    source: `
      @group(0) @binding(0) var x: texture_storage_2d<${format}, read>;
      @group(0) @binding(1) var<storage, read_write> y: array<${type}>;
      struct Params { count: u32 }
      @group(0) @binding(2) var<uniform> params: Params;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < params.count) {
          let texel = textureLoad(x, vec2u(id.x % ${IMAGE_WIDTH}u, id.x / ${IMAGE_WIDTH}u));
          y[id.x] = ${vector};
        }
      }`,
    bindings: { x: access, y: "read_write" },
    params: { count: "u32" },
    overrides: {},
    plan: ({ count }) => ({
      params: { count },
      workgroups: [Math.ceil(count / 64), 1, 1],
    }),
  };
}

const FLOATS = copying("image_f32", "rgba32float", "vec4f", "texel");
const HALVES = copying("image_f16", "rg32uint", "vec2u", "texel.xy");

async function copy(gpu: Gpu, image: Tensor, y: Tensor): Promise<void> {
  const kernel = image.dtype === "f16" ? HALVES : FLOATS;
  using program = await gpu.program("copy of an image")
    .dispatch(kernel, { count: image.size / 4 }, { x: image, y }).compile();
  program.run();
  await gpu.finish();
}

for (const texels of [1, 3, 1023, 1024, 1025, 5000]) {
  gpuTest(`an image of ${texels} vectors holds them in order`, async (gpu) => {
    const data = randomFloats(texels, texels * 4);
    using image = gpu.upload(data, undefined, "vectors", "image");
    using y = gpu.tensor([data.length]);
    await copy(gpu, image, y);
    assertEquals(await gpu.read(y), data);

    const halves = toHalf(data);
    using half = gpu.upload(halves, undefined, "halves", "image");
    using words = gpu.tensor([data.length / 2], "u32");
    await copy(gpu, half, words);
    const read = await gpu.read(words);
    assertEquals(new Uint16Array(read.buffer), halves);
  });

  gpuTest(`imageOf() copies ${texels} vectors from a buffer`, async (gpu) => {
    const data = randomFloats(texels, texels * 4);
    using buffer = gpu.upload(data);
    using image = imageOf(gpu, buffer);
    using y = gpu.tensor([data.length]);
    await copy(gpu, image, y);
    assertEquals(await gpu.read(y), data);
  });
}

gpuTest(
  "a program copies what a kernel reads as an image, in every run",
  async (gpu) => {
    const count = 1500;
    const [one, two] = [1, 2].map((seed) => randomFloats(seed, 4 * count));
    using x = gpu.upload(one!);
    using middle = gpu.tensor([4 * count]);
    using y = gpu.tensor([4 * count]);
    using program = gpu.program("copies")
      .dispatch(FLOATS, { count }, { x, y: middle })
      .dispatch(FLOATS, { count }, { x: middle, y });
    await program.compile();
    for (const data of [one!, two!]) {
      gpu.write(x, data);
      program.run();
      assertEquals(await gpu.read(y), data);
    }
    const whole = gpu.pool.bytes;
    program.dispose();
    const image = 2 * IMAGE_WIDTH * 16;
    const freed = whole - gpu.pool.bytes;
    assert(freed >= image && freed < 2 * image, "one image serves both");
  },
);

gpuTest(
  "a program copies no halves: their image is the caller's",
  async (gpu) => {
    using x = gpu.tensor([8], "f16", "halves");
    using y = gpu.tensor([4], "u32");
    using program = gpu.program("copies")
      .dispatch(HALVES, { count: 2 }, { x, y });
    await assertRejects(
      () => program.compile(),
      TypeError,
      'Cannot use tensor "halves" [8]: it is a buffer, expected an image',
    );
  },
);

gpuTest("an image counts in the pool until it is disposed", (gpu) => {
  const before = gpu.pool.bytes;
  const image = gpu.tensor([4 * 1025], "f32", "vectors", "image");
  assertEquals(gpu.pool.bytes - before, 2 * IMAGE_WIDTH * 16);
  image.dispose();
  image.dispose();
  assertEquals(gpu.pool.bytes, before);
});

gpuTest("an image is no buffer, and a buffer no image", (gpu) => {
  for (const storage of ["image", "buffer"] satisfies Storage[]) {
    using tensor = gpu.tensor([8], "f32", "vectors", storage);
    assertThrows(
      () => storage === "image" ? tensor.buffer : tensor.image,
      TypeError,
      storage === "image"
        ? 'Cannot use tensor "vectors" [8]: it is an image, expected a buffer'
        : 'Cannot use tensor "vectors" [8]: it is a buffer, expected an image',
    );
  }
});

gpuTest("Gpu.write() takes all of an image or nothing", (gpu) => {
  using image = gpu.tensor([8], "f32", "vectors", "image");
  assertThrows(
    () => gpu.write(image, new Float32Array(4)),
    RangeError,
    'Cannot write 4 elements of image "vectors": all 8 are expected',
  );
});

gpuTest("Gpu.tensor() refuses an image of too many rows", (gpu) => {
  const rows = gpu.device.limits.maxTextureDimension2D + 1;
  assertThrows(
    () => gpu.tensor([rows, IMAGE_WIDTH * 4], "f32", "huge", "image"),
    GpuError,
    `Cannot allocate "huge": an image of ${rows} rows`,
  );
});
