import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import coefficientsSource from "./proxy_coefficients.wgsl" with {
  type: "text",
};
import residualSource from "./proxy_residual.wgsl" with { type: "text" };
import stepSource from "./proxy_step.wgsl" with { type: "text" };
import weightsSource from "./proxy_weights.wgsl" with { type: "text" };

const BETA1 = 0.9;
const BETA2 = 0.999;

/** Sizes that the learning of proxies works on. */
export interface ProxySizes {
  /** Patches of a batch, at most 65,535. */
  readonly patches: number;
  /** Proxies. */
  readonly proxies: number;
  /** Elements of a row of the weights: the proxies, rounded up to 4. */
  readonly stride: number;
  /** Temperature of the softmin, above 0. */
  readonly temperature: number;
}

/** Softmin weights of the proxies for each patch (paper Eq. 8). */
export const proxyWeights: Kernel<
  ProxySizes,
  "patch_norms" | "proxy_norms" | "weights" | "inverses"
> = defineKernel({
  name: "proxy_weights",
  source: weightsSource,
  plan: ({ patches, proxies, stride, temperature }) => ({
    params: { proxies, stride, sharpness: 1 / temperature },
    workgroups: [patches, 1, 1],
  }),
});

/** Patches `[patches, dim]`, and where their losses go. */
export interface ProxyResidualSizes {
  /** Patches of a batch, at most 65,535. */
  readonly patches: number;
  /** Elements of a patch. */
  readonly dim: number;
  /** Where the first patch's loss goes. */
  readonly firstLoss: number;
}

/** What the weighted proxies leave of each patch, and its loss. */
export const proxyResidual: Kernel<
  ProxyResidualSizes,
  "patches" | "residuals" | "losses" | "products"
> = defineKernel({
  name: "proxy_residual",
  source: residualSource,
  plan: ({ patches, dim, firstLoss }) => ({
    params: { dim, first_loss: firstLoss },
    workgroups: [patches, 1, 1],
  }),
});

/** Coefficients of the gradient of the mean loss by the proxies. */
export const proxyCoefficients: Kernel<
  ProxySizes,
  "inverses" | "products" | "weights" | "slopes"
> = defineKernel({
  name: "proxy_coefficients",
  source: coefficientsSource,
  plan: ({ patches, stride, temperature }) => ({
    params: { stride, sharpness: 1 / temperature, share: 1 / patches },
    workgroups: [Math.ceil(stride / 64), patches, 1],
  }),
});

/** Proxies `[proxies, dim]`, and the settings of Adam. */
export interface ProxyStepSizes {
  /** Proxies. */
  readonly proxies: number;
  /** Elements of a proxy, a multiple of 4. */
  readonly dim: number;
  /** Elements of a row of the transposed proxies. */
  readonly stride: number;
  /** Learning rate; 0 clears the moments and only transposes. */
  readonly rate: number;
  /** Number of the step, 1 for the first. */
  readonly step: number;
}

/** One step of Adam for the proxies. */
export const proxyStep: Kernel<
  ProxyStepSizes,
  "gradients" | "sums" | "proxies" | "transposed" | "moments"
> = defineKernel({
  name: "proxy_step",
  source: stepSource,
  plan({ proxies, dim, stride, rate, step }) {
    const total = proxies * dim / 4;
    return {
      params: {
        total,
        dim4: dim / 4,
        stride,
        rate,
        correction1: 1 / (1 - BETA1 ** step),
        correction2: 1 / (1 - BETA2 ** step),
      },
      workgroups: gridFor(Math.ceil(total / 64)),
    };
  },
});
