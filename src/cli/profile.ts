import type { PatchCore } from "../core/mod.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Prints GPU time by kernel, longest first: on stderr, and as a JSON line;
 * nothing without times.
 */
export function printProfile(
  times: Awaited<ReturnType<PatchCore["kernelTimes"]>>,
  terminal: Terminal,
): void {
  if (times.length === 0) return;
  const sum = times.reduce((total, { ms }) => total + ms, 0);
  const rows = times.map(({ label, count, ms }) => [
    label,
    `${count}`,
    ms.toFixed(2),
    `${(100 * ms / sum).toFixed(1)} %`,
  ]);
  terminal.message(table([["kernel", "runs", "ms", "share"], ...rows]));
  terminal.record({
    gpu_ms: sum,
    kernels: times.map(({ label, count, ms }) => ({
      kernel: label,
      runs: count,
      ms,
    })),
  });
}
