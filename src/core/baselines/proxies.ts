import {
  type Gpu,
  type Program,
  RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { product, type ProductSizes } from "../../wgsl/product.ts";
import {
  proxyCoefficients,
  proxyResidual,
  type ProxySizes,
  proxyStep,
  proxyWeights,
} from "../../wgsl/proxies.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { recordGather } from "../rows/row_sets.ts";
import { choice, Mt19937, permutation } from "../settings/random.ts";
import type { Progress } from "./scored_images.ts";

/** How many proxies, and how they are learned. */
interface ProxyOptions {
  /** Proxies to learn: the size of the memory bank. */
  readonly count: number;
  /** Steps of Adam, 200 by default. */
  readonly steps?: number;
  /** Patches of a step, 256 by default, fewer when there are fewer. */
  readonly batch?: number;
  /** Adam's learning rate, 0.01 by default. */
  readonly rate?: number;
  /** Temperature τ of the softmin, 1 by default as in the paper. */
  readonly temperature?: number;
  /** Seed of the first proxies and of the batches, 0 by default. */
  readonly seed?: number;
  /** Called after each step. */
  readonly onProgress?: Progress;
}

/** Learned proxies; their owner disposes the rows. */
interface LearnedProxies {
  /** The proxies `[count, dim]`: a memory bank of no patch in particular. */
  readonly rows: RowChunks;
  /** Mean loss of each step's patches, before the step. */
  readonly losses: Float64Array<ArrayBuffer>;
}

interface Work extends Required<Omit<ProxyOptions, "onProgress">> {
  readonly dim: number;
  readonly stride: number;
}

/**
 * Learns proxies of all patches, the third subsampling of the paper's Fig. 5.
 *
 * It minimises the paper's Eq. 8, the mean over patches m of
 * |m − Σ_k w_k p_k|² with w = softmin of the distances |m − p_k| over all
 * proxies: each patch is to be rebuilt from the proxies near it. As printed
 * there the exponent has no minus sign, which would rebuild patches from the
 * farthest proxies; the sign is taken as the text means it. The paper names
 * no optimiser: this is Adam over random batches, from random patches, in
 * f32, with the gradient in closed form.
 *
 * @param options How many proxies, and how they are learned.
 * @throws {RangeError} If an option is not allowed, or proxies or a batch's
 * weights are more than the adapter binds at once.
 */
export async function learnProxies(
  gpu: Gpu,
  features: RowChunks,
  options: ProxyOptions,
): Promise<LearnedProxies> {
  const work = checked(options, features, gpu.maxTensorBytes);
  const { count, batch, steps, dim, stride, seed } = work;
  const random = new Mt19937(seed);
  const rows = RowChunks.allocate(gpu, count, dim, "proxies");
  const owned: Tensor[] = [];
  const own = (tensor: Tensor): Tensor => (owned.push(tensor), tensor);
  const tensor = (shape: readonly number[], label: string): Tensor =>
    own(gpu.tensor(shape, "f32", label));
  const tensors = {
    proxies: rows.chunks[0]!,
    patches: tensor([batch, dim], "patches"),
    indices: own(gpu.tensor([batch], "u32", "batch")),
    transposed: tensor([dim, stride], "proxies, transposed"),
    moments: tensor([count, dim, 2], "moments"),
    gradients: tensor([count, dim], "gradients"),
    patchNorms: tensor([batch], "patch norms"),
    proxyNorms: tensor([count], "proxy norms"),
    weights: tensor([batch, stride], "weights"),
    slopes: tensor([batch, stride], "slopes"),
    inverses: tensor([batch, stride], "inverse distances"),
    residuals: tensor([batch, dim], "residuals"),
    products: tensor([batch], "products"),
    losses: tensor([steps, batch], "losses"),
    sums: tensor([count, 4], "sums"),
    ones: own(gpu.upload(new Float32Array(batch * 4).fill(1), [batch, 4])),
  };
  try {
    gpu.clear(tensors.transposed);
    await start(gpu, features, work, tensors, random);
    using program = gpu.program("proxies");
    const place = recordStep(program, gpu, features, work, tensors);
    await program.compile();
    const draw = batches(random, features.rows, batch);
    for (let step = 1; step <= steps; step++) {
      gpu.write(tensors.indices, draw());
      program.setParams(
        place.residual,
        proxyResidual.plan({
          patches: batch,
          dim,
          firstLoss: (step - 1) * batch,
        }).params,
      );
      program.setParams(
        place.step,
        proxyStep.plan({ ...stepSizes(work), step }).params,
      );
      program.run();
      if (step % 8 === 0) await gpu.finish();
      options.onProgress?.(step, steps);
    }
    const losses = await gpu.readFloats(tensors.losses);
    return { rows, losses: meansOf(losses, batch) };
  } catch (error) {
    rows.dispose();
    throw error;
  } finally {
    for (const tensor of owned) tensor.dispose();
  }
}

type Tensors = Readonly<
  Record<
    | "proxies"
    | "patches"
    | "indices"
    | "transposed"
    | "moments"
    | "gradients"
    | "patchNorms"
    | "proxyNorms"
    | "weights"
    | "slopes"
    | "inverses"
    | "residuals"
    | "products"
    | "losses"
    | "sums"
    | "ones",
    Tensor
  >
>;

/** The first proxies: random patches; no moments. */
async function start(
  gpu: Gpu,
  features: RowChunks,
  work: Work,
  tensors: Tensors,
  random: Mt19937,
): Promise<void> {
  const picks = choice(random, features.rows, work.count);
  using indices = gpu.upload(picks, undefined, "first proxies");
  using program = gpu.program("first proxies");
  recordGather(program, features, indices, work.count, tensors.proxies);
  program.dispatch(
    proxyStep,
    { ...stepSizes(work), rate: 0, step: 1 },
    tensors,
  );
  (await program.compile()).run();
  await gpu.finish();
}

/** Records one step; returns which dispatches have parameters of the step. */
function recordStep(
  program: Program,
  gpu: Gpu,
  features: RowChunks,
  work: Work,
  tensors: Tensors,
): { residual: number; step: number } {
  const { count: proxies, batch: patches, dim, stride, temperature } = work;
  const lanes = gpu.pick(WORKGROUP_LANES);
  const sizes: ProxySizes = { patches, proxies, stride, temperature };
  const multiply = (
    a: Tensor,
    b: Tensor,
    c: Tensor,
    shape: Omit<ProductSizes, "lanes">,
  ) => program.dispatch(product, { ...shape, lanes }, { a, b, c });
  const toProxies = { rows: patches, inner: dim, columns: stride };
  const fromPatches = {
    rows: proxies,
    inner: patches,
    columns: dim,
    aRow: 1,
    aColumn: stride,
  };
  const { weights, slopes, transposed, residuals } = tensors;
  recordGather(program, features, tensors.indices, patches, tensors.patches);
  program.dispatch(rowNorms, { rows: patches, dim }, {
    rows: tensors.patches,
    shift: tensors.patches,
    norms: tensors.patchNorms,
  });
  program.dispatch(rowNorms, { rows: proxies, dim }, {
    rows: tensors.proxies,
    shift: tensors.proxies,
    norms: tensors.proxyNorms,
  });
  multiply(tensors.patches, transposed, weights, toProxies);
  program.dispatch(proxyWeights, sizes, {
    patch_norms: tensors.patchNorms,
    proxy_norms: tensors.proxyNorms,
    weights,
    inverses: tensors.inverses,
  });
  multiply(weights, tensors.proxies, residuals, {
    rows: patches,
    inner: proxies,
    columns: dim,
    aRow: stride,
  });
  const residual = program.length;
  program.dispatch(proxyResidual, { patches, dim, firstLoss: 0 }, tensors);
  multiply(residuals, transposed, slopes, toProxies);
  program.dispatch(proxyCoefficients, sizes, tensors);
  multiply(weights, residuals, tensors.gradients, fromPatches);
  multiply(slopes, tensors.patches, tensors.gradients, {
    ...fromPatches,
    add: true,
  });
  multiply(slopes, tensors.ones, tensors.sums, { ...fromPatches, columns: 4 });
  const step = program.length;
  program.dispatch(proxyStep, { ...stepSizes(work), step: 1 }, tensors);
  return { residual, step };
}

function stepSizes({ count: proxies, dim, stride, rate }: Work) {
  return { proxies, dim, stride, rate };
}

/** Draws batches: all patches in random order, then again in another one. */
function batches(
  random: Mt19937,
  rows: number,
  size: number,
): () => Uint32Array<ArrayBuffer> {
  let order = new Uint32Array();
  let used = 0;
  return () => {
    if (used + size > order.length) {
      order = permutation(random, rows);
      used = 0;
    }
    return order.slice(used, used += size);
  };
}

function meansOf(
  values: Float32Array,
  group: number,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    { length: values.length / group },
    (_, i) =>
      values.subarray(i * group, (i + 1) * group)
        .reduce((sum, value) => sum + value, 0) / group,
  );
}

function checked(
  options: ProxyOptions,
  features: RowChunks,
  maxTensorBytes: number,
): Work {
  const { count, steps = 200, rate = 0.01, temperature = 1, seed = 0 } =
    options;
  const batch = Math.min(options.batch ?? 256, features.rows);
  const most = { count: features.rows, steps: Infinity, batch: 65_535 };
  for (const [name, value] of Object.entries({ count, steps, batch })) {
    const limit = most[name as keyof typeof most];
    if (Number.isInteger(value) && value >= 1 && value <= limit) continue;
    throw new RangeError(
      `Cannot learn proxies: ${name} must be an integer from 1 to ${limit}: current value is ${value}`,
    );
  }
  for (const [name, value] of Object.entries({ rate, temperature })) {
    if (value > 0 && value < Infinity) continue;
    throw new RangeError(
      `Cannot learn proxies: ${name} must be above 0: current value is ${value}`,
    );
  }
  const { dim } = features;
  const stride = roundUp(count, 4);
  const largest = 4 * Math.max(2 * stride * dim, stride * batch, steps * batch);
  if (largest > maxTensorBytes) {
    throw new RangeError(
      `Cannot learn ${count} proxies of ${dim} elements in batches of ${batch}: ${largest} bytes are more than the adapter binds at once (${maxTensorBytes})`,
    );
  }
  return { count, steps, batch, rate, temperature, seed, dim, stride };
}
