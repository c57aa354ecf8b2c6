import { shareInterval } from "../metrics/interval.ts";

/**
 * A count as a share with its 95 % interval (Clopper–Pearson), e.g.
 * `3 of 60, 5 % (1 to 14 %)`.
 */
export function shareInWords(count: number, of: number): string {
  if (of === 0) return `${count} of ${of}`;
  const [low, high] = shareInterval(count, of);
  return `${count} of ${of}, ${percent(count / of)} % (${percent(low)} to ${
    percent(high)
  } %)`;
}

/** Hundredths, whole from ten up. */
function percent(share: number): string {
  const value = 100 * share;
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}
