import { activationParams, type FusedActivation } from "./activation.ts";

/**
 * Rotary positions of the heads that a product begins with: pairs of
 * neighbouring columns are turned by angles that `residual` holds the cosines and
 * sines of, `[tokens, head4, 2]` vectors of four.
 */
export interface Turn {
  /** Rows of an image; the next one begins with the first angles again. */
  readonly tokens: number;
  /** Columns of a head, divided by 4. */
  readonly head4: number;
  /** Columns that are turned, divided by 4: those of queries and keys. */
  readonly columns4: number;
}

/** How a product of matrices ends. */
export interface Epilogue {
  /** Whether `residual` is added, before the activation. */
  readonly residual?: boolean;
  /** What is applied to the sum. */
  readonly activation?: FusedActivation;
  /** Whether the result is multiplied by `residual`, after the activation. */
  readonly gate?: boolean;
  /** Whether `residual` holds angles, and of what. */
  readonly turn?: Turn;
}

/**
 * Overrides and parameters of `epilogue.wgsl`.
 *
 * @throws {TypeError} If `residual` would be two things at once.
 */
export function epilogueParams(
  { residual = false, activation, gate = false, turn }: Epilogue,
): {
  overrides: { RESIDUAL: number; ACTIVATION: number };
  params: Record<
    "act_low" | "act_high" | "turn_rows" | "turn_columns" | "turn_limit",
    number
  >;
} {
  const roles = [residual, gate, turn !== undefined];
  if (roles.filter((is) => is).length > 1) {
    throw new TypeError(
      "Cannot end a product in two ways: its residual is a summand, a factor or angles",
    );
  }
  const { code, low, high } = activationParams(activation);
  return {
    overrides: { RESIDUAL: roles.indexOf(true) + 1, ACTIVATION: code },
    params: {
      act_low: low,
      act_high: high,
      turn_rows: turn?.tokens ?? 1,
      turn_columns: turn?.head4 ?? 1,
      turn_limit: turn?.columns4 ?? 0,
    },
  };
}
