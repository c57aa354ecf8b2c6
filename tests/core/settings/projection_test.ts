import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  gaussianProjection,
  linearProjection,
  sparseProjection,
  sparseProjectionSize,
} from "../../../src/core/settings/projection.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

async function sha256(matrix: Float32Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", matrix);
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("linearProjection() gives the first weights of torch.nn.Linear(1024, 128)", () => {
  const matrix = linearProjection(new Mt19937(0), 1024, 128);
  assertEquals(matrix.length, 128 * 1024);
  const expected = [-0.00023396, 0.01676386, -0.02572016, -0.02299809];
  for (const [index, weight] of expected.entries()) {
    assertAlmostEquals(matrix[index]!, weight, 5e-9);
  }
});

// SHA-256 of the little-endian float32 weights that PyTorch drew after seed 0.
const GOLDEN = [
  {
    inputs: 48,
    outputs: 32,
    digest: "558c768343d513e3a97490ee41f20f5322009adc6e8f5117d206608cd8882cbb",
  },
  {
    inputs: 64,
    outputs: 32,
    digest: "8fadaf939447309a9a895ea8d4ce046f091578862134ab61546dd9d25390964d",
  },
  {
    inputs: 128,
    outputs: 32,
    digest: "9dc9d0925bbaeff13c693ea1213444e93fb2d41f8e4cfce31c0344505082078a",
  },
  {
    inputs: 72,
    outputs: 32,
    digest: "708dc6314e48eaefe790b7e758b370c17af34038cf510985a5d1b498b06be58d",
  },
];

for (const { inputs, outputs, digest } of GOLDEN) {
  Deno.test(`linearProjection() gives every bit of torch.nn.Linear(${inputs}, ${outputs})`, async () => {
    const matrix = linearProjection(new Mt19937(0), inputs, outputs);
    assertEquals(await sha256(matrix), digest);
  });
}

Deno.test("sparseProjectionSize() gives scikit-learn's Johnson–Lindenstrauss dimension", () => {
  assertEquals(sparseProjectionSize(209 * 28 * 28), 296);
  assertEquals(sparseProjectionSize(209 * 32 * 32), 303);
  assertEquals(sparseProjectionSize(1_000_000, 0.5), 663);
  assertThrows(() => sparseProjectionSize(0), RangeError, "at least 1 sample");
  assertThrows(() => sparseProjectionSize(10, 1), RangeError, "eps");
});

Deno.test("sparseProjection() has the density and the magnitude of its definition", () => {
  const inputs = 1536, outputs = 296;
  const matrix = sparseProjection(new Mt19937(0), inputs, outputs);
  const nonZero = matrix.filter((entry) => entry !== 0);
  const magnitude = Math.fround(inputs ** 0.25 / Math.sqrt(outputs));
  assertEquals(nonZero.every((entry) => Math.abs(entry) === magnitude), true);
  const expected = matrix.length / Math.sqrt(inputs);
  assertAlmostEquals(nonZero.length / expected, 1, 0.04);
  const positive = nonZero.filter((entry) => entry > 0).length;
  assertAlmostEquals(positive / nonZero.length, 0.5, 0.02);
});

for (const project of [gaussianProjection, sparseProjection]) {
  Deno.test(`${project.name}() keeps squared norms on average`, () => {
    assertAlmostEquals(squaredNormRatio(project), 1, 0.25);
  });
}

function squaredNormRatio(project: typeof sparseProjection): number {
  const inputs = 256, outputs = 400;
  const random = new Mt19937(1);
  const matrix = project(random, inputs, outputs);
  const vector = Float64Array.from({ length: inputs }, () => random.normal());
  let before = 0, after = 0;
  for (const value of vector) before += value * value;
  for (let row = 0; row < outputs; row++) {
    let dot = 0;
    for (let i = 0; i < inputs; i++) {
      dot += matrix[row * inputs + i]! * vector[i]!;
    }
    after += dot * dot;
  }
  return after / before;
}

Deno.test("gaussianProjection() draws numpy.random.standard_normal over √outputs", () => {
  const matrix = gaussianProjection(new Mt19937(0), 3, 4);
  assertAlmostEquals(matrix[0]!, 1.764052345967664 / 2, 1e-7);
  assertAlmostEquals(matrix[4]!, 1.8675579901499675 / 2, 1e-7);
});

Deno.test("sparseProjection() is ±1/√outputs when features have one dimension", () => {
  const matrix = sparseProjection(new Mt19937(0), 1, 4);
  assertEquals(matrix.every((entry) => Math.abs(entry) === 0.5), true);
});

Deno.test("sparseProjection() gives the same matrix for the same seed alone", () => {
  const first = sparseProjection(new Mt19937(5), 64, 8);
  assertEquals(sparseProjection(new Mt19937(5), 64, 8), first);
  assertEquals(
    first.some((x, i) => x !== sparseProjection(new Mt19937(6), 64, 8)[i]),
    true,
  );
});

Deno.test("linearProjection() refuses sizes that are no positive integers", () => {
  assertThrows(
    () => linearProjection(new Mt19937(0), 0, 4),
    RangeError,
    "inputs must be a positive integer: current value is 0",
  );
  assertThrows(
    () => sparseProjection(new Mt19937(0), 4, 1.5),
    RangeError,
    "outputs must be a positive integer: current value is 1.5",
  );
});
