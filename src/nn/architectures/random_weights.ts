/**
 * Weights of a network that has learned nothing: for tests and benches.
 *
 * @module
 */
import type { HostTensor } from "../graph.ts";
import { elementCount, floatTensor } from "../host_tensor.ts";
import type { Architecture, Parameter } from "./architecture.ts";

/** Weights drawn by {@linkcode randomWeights}. */
interface RandomWeights {
  /** Tensors by parameter name. */
  readonly weights: ReadonlyMap<string, HostTensor>;
  /** `random` → the seed: marks a model as untrained. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Draws weights with the variances torchvision starts a network with:
 * convolutions 2 / fan-in (so that activations neither vanish nor explode),
 * linear layers uniform in ±1/√fan-in, normalisation and scales the identity,
 * tokens and positions of a deviation of 0.02.
 *
 * The values depend on the seed and on each parameter's name alone, and are
 * the same on every machine.
 *
 * @param seed A whole number from 0 up to 2^32 − 1.
 */
export function randomWeights(
  architecture: Architecture,
  seed: number,
): RandomWeights {
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(
      `Cannot draw weights with seed ${seed}: expected a whole number from 0 to 4294967295`,
    );
  }
  const weights = new Map<string, HostTensor>();
  for (const parameter of architecture.parameters) {
    const values = drawParameter(parameter, seed);
    weights.set(parameter.name, floatTensor(parameter.shape, values));
  }
  return { weights, metadata: new Map([["random", String(seed)]]) };
}

function drawParameter(
  { name, shape, role, fanIn }: Parameter,
  seed: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(elementCount(shape));
  switch (role) {
    case "conv_weight":
      return fillBell(values, Math.sqrt(2 / fanIn), hash(name, seed));
    case "linear_weight":
    case "linear_bias":
      return fillUniform(values, 1 / Math.sqrt(fanIn), hash(name, seed));
    case "token":
      return fillBell(values, 0.02, hash(name, seed));
    case "scale":
    case "norm_weight":
    case "bn_weight":
    case "bn_var":
      return values.fill(1);
    case "norm_bias":
    case "bn_bias":
    case "bn_mean":
      return values;
  }
}

/** FNV-1a over a name and a seed: where a parameter's sequence starts. */
function hash(name: string, seed: number): number {
  let state = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) {
    state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
  }
  return state >>> 0;
}

/** The 32 random bits that SplitMix32 yields for a counter. */
function mix(counter: number): number {
  let z = counter | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** Bell-shaped values: the sum of four 16-bit uniforms, which needs no transcendental function. */
function fillBell(
  values: Float32Array<ArrayBuffer>,
  deviation: number,
  start: number,
): Float32Array<ArrayBuffer> {
  const scale = deviation * Math.sqrt(3) / 65536;
  let counter = start;
  for (let i = 0; i < values.length; i++) {
    const a = mix(counter = (counter + 0x9e3779b9) | 0);
    const b = mix(counter = (counter + 0x9e3779b9) | 0);
    const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    values[i] = (sum - 2 * 65535) * scale;
  }
  return values;
}

function fillUniform(
  values: Float32Array<ArrayBuffer>,
  bound: number,
  start: number,
): Float32Array<ArrayBuffer> {
  let counter = start;
  for (let i = 0; i < values.length; i++) {
    const bits = mix(counter = (counter + 0x9e3779b9) | 0);
    values[i] = ((bits >>> 8) / 2 ** 23 - 1) * bound;
  }
  return values;
}
