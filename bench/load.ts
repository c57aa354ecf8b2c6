/**
 * Load on a service: how much it can do, and what it does when it gets more.
 *
 * @module
 */

/** One answer. */
export interface Answer {
  /** HTTP status; 0 where the connection broke. */
  readonly status: number;
  /** Milliseconds until the whole answer was there. */
  readonly ms: number;
}

/** Sends one request and waits for the whole answer; resolves to its status. */
export type Send = () => Promise<number>;

async function timed(send: Send): Promise<Answer> {
  const start = performance.now();
  const status = await send().catch(() => 0);
  return { status, ms: performance.now() - start };
}

/**
 * Requests answered with 200 per second when a fixed number is always under
 * way.
 *
 * @param send Sends a request.
 * @param clients How many are under way.
 * @param seconds How long.
 */
export async function capacity(
  send: Send,
  clients: number,
  seconds: number,
): Promise<number> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  let answered = 0;
  const client = async (): Promise<void> => {
    while (elapsed() < seconds) {
      const { status } = await timed(send);
      if (status !== 200) {
        throw new Error(`A request below capacity was answered ${status}`);
      }
      answered++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return answered / elapsed();
}

/** What {@linkcode overload} sends. */
export interface OverloadOptions {
  /** Requests per second, sent whatever becomes of those before. */
  readonly rate: number;
  /** How long. */
  readonly seconds: number;
  /** The most requests under way; beyond it none is sent. */
  readonly mostUnderWay: number;
}

/** What came of an overload. */
export interface Overload {
  /** Every answer. */
  readonly answers: readonly Answer[];
  /** Requests that were not sent because too many were under way. */
  readonly unsent: number;
}

/** Sends requests at a fixed rate, then waits for all their answers. */
export async function overload(
  send: Send,
  { rate, seconds, mostUnderWay }: OverloadOptions,
): Promise<Overload> {
  const answers: Answer[] = [];
  const underWay = new Set<Promise<void>>();
  const start = performance.now();
  const total = Math.round(rate * seconds);
  let unsent = 0;
  for (let i = 0; i < total; i++) {
    const wait = start + i * 1000 / rate - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
    if (underWay.size >= mostUnderWay) {
      unsent++;
      continue;
    }
    const request = timed(send).then((answer) => {
      answers.push(answer);
      underWay.delete(request);
    });
    underWay.add(request);
  }
  await Promise.all(underWay);
  return { answers, unsent };
}

/** Answers of one status. */
export interface StatusSummary {
  /** The status. */
  readonly status: number;
  /** How many. */
  readonly count: number;
  /** Median of the milliseconds. */
  readonly p50: number;
  /** 99 of 100 took at most so many milliseconds. */
  readonly p99: number;
}

/** Counts answers by status. */
export function byStatus(answers: readonly Answer[]): StatusSummary[] {
  const groups = Map.groupBy(answers, ({ status }) => status);
  return [...groups].sort(([a], [b]) => a - b).map(([status, group]) => {
    const ms = group.map((answer) => answer.ms).sort((a, b) => a - b);
    return {
      status,
      count: group.length,
      p50: quantile(ms, 0.5),
      p99: quantile(ms, 0.99),
    };
  });
}

/** The smallest value that a share of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/**
 * How much a quantity has grown: the median of the samples' last third over
 * that of their middle third.
 */
export function growth(samples: readonly number[]): number {
  const third = Math.floor(samples.length / 3);
  const median = (part: readonly number[]): number =>
    quantile(part.toSorted((a, b) => a - b), 0.5);
  return median(samples.slice(-third)) / median(samples.slice(third, -third));
}

/** The slope of the line that fits points best, by least squares. */
export function slope(
  points: readonly (readonly [x: number, y: number])[],
): number {
  const mean = (of: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [x, y] of points) {
    above += (x - x0) * (y - y0);
    below += (x - x0) ** 2;
  }
  return above / below;
}
