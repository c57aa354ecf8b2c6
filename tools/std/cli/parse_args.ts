/** Placeholder types until the parser below grows. */
export type Args = Record<string, unknown> & { _: (string | number)[] };
