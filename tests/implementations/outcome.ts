/** How a test or a step of one went. */
export interface Outcome {
  /** Its name, that of the test before a step's. */
  readonly name: string;
  /** Whether it held. */
  readonly kind: "passed" | "failed" | "skipped";
  /** What went wrong. */
  readonly why?: string;
}
