import type { Stage, WorkOptions } from "./progress.ts";

/** The options with a progress at which aborted work stops. */
export function stoppable<O extends WorkOptions>(options: O): O {
  const { signal, onProgress } = options;
  return {
    ...options,
    onProgress: (stage: Stage, done: number, total: number): void => {
      signal?.throwIfAborted();
      onProgress?.(stage, done, total);
    },
  };
}
