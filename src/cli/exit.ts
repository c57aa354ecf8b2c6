/** Exit codes of the program: what scripts may rely on. */
export const EXIT = {
  /** All went well. */
  ok: 0,
  /** Something failed: an unreadable file, a bad model, no GPU. */
  failure: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** Anomalies were found, and `--fail-on-anomaly` was given. */
  anomaly: 3,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
} as const;

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The user pressed Ctrl-C: exit code 130. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}
