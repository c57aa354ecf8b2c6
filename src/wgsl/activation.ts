/** An activation fused into a kernel's last step. */
export type FusedActivation =
  | {
    readonly kind:
      | "none"
      | "relu"
      | "sigmoid"
      | "hard_swish"
      | "silu"
      | "gelu"
      | "quick_gelu";
  }
  | { readonly kind: "clip"; readonly min: number; readonly max: number }
  | { readonly kind: "leaky_relu"; readonly alpha: number }
  | {
    readonly kind: "hard_sigmoid";
    readonly alpha: number;
    readonly beta: number;
  };

const ACTIVATION_CODES = {
  none: 0,
  relu: 1,
  clip: 2,
  leaky_relu: 3,
  sigmoid: 4,
  hard_sigmoid: 5,
  hard_swish: 6,
  silu: 7,
  gelu: 8,
  quick_gelu: 9,
} as const;

/** Override and parameters of a fused activation. */
export function activationParams(
  activation: FusedActivation = { kind: "none" },
): { code: number; low: number; high: number } {
  const code = ACTIVATION_CODES[activation.kind];
  switch (activation.kind) {
    case "clip":
      return { code, low: activation.min, high: activation.max };
    case "leaky_relu":
      return { code, low: activation.alpha, high: 0 };
    case "hard_sigmoid":
      return { code, low: activation.alpha, high: activation.beta };
    default:
      return { code, low: 0, high: 0 };
  }
}
