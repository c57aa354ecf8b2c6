import type { Stream } from "./streams.ts";

const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** Seconds in which what is done says nothing of the rest yet. */
const FIRST_SECONDS = 0.25;

/** What a {@linkcode Progress} counts. */
export interface ProgressOptions {
  /** How many there will be; without it there is no bar and no time left. */
  readonly total?: number;
  /** What is counted, e.g. `images`. */
  readonly unit?: string;
  /** How many were done before, which the rate leaves out; 0 by default. */
  readonly from?: number;
}

/** Where and how a {@linkcode Progress} is drawn. */
interface ProgressDisplay extends ProgressOptions {
  /** The stream it is drawn on. */
  readonly stderr: Stream;
  /** Milliseconds since some fixed moment. */
  readonly clock: () => number;
  /** Whether nothing is drawn at all. */
  readonly hidden: boolean;
}

/**
 * How far something is: on a terminal one line that is redrawn, with rate and
 * time left; elsewhere a line each time another tenth is done.
 */
export class Progress implements Disposable {
  readonly #label: string;
  readonly #display: ProgressDisplay;
  readonly #start: number;
  #done = 0;
  #drawnAt = -Infinity;
  #drawn = false;
  #tenths = 0;
  #ended = false;

  /** Starts counting now. */
  constructor(label: string, display: ProgressDisplay) {
    this.#label = label;
    this.#display = display;
    this.#start = display.clock();
    this.#done = display.from ?? 0;
    this.#update();
  }

  /** Counts `n` more. */
  add(n = 1): void {
    this.set(this.#done + n);
  }

  /** Sets how many are done. */
  set(done: number): void {
    this.#done = done;
    this.#update();
  }

  /** Takes the line off a terminal, so that something else can be written. */
  hide(): void {
    if (!this.#drawn) return;
    this.#display.stderr.write("\r\x1b[K");
    this.#drawn = false;
  }

  /** Puts the line back after {@linkcode Progress.hide}. */
  show(): void {
    if (!this.#ended && this.#onTerminal()) this.#draw();
  }

  /** Ends the display. */
  end(): void {
    this.hide();
    this.#ended = true;
  }

  /** Ends the display where a `using` block ends. */
  [Symbol.dispose](): void {
    this.end();
  }

  #onTerminal(): boolean {
    return !this.#display.hidden && this.#display.stderr.isTerminal;
  }

  #update(): void {
    if (this.#ended || this.#display.hidden) return;
    if (!this.#display.stderr.isTerminal) return this.#line();
    const now = this.#display.clock();
    if (now - this.#drawnAt < REDRAW_MS && this.#done !== this.#display.total) {
      return;
    }
    this.#drawnAt = now;
    this.#draw();
  }

  #line(): void {
    const { total, stderr } = this.#display;
    if (!total) return;
    const tenths = Math.floor(this.#done * 10 / total);
    if (tenths <= this.#tenths) return;
    this.#tenths = tenths;
    stderr.write(`${this.#label}: ${tenths * 10} % (${this.#numbers()})\n`);
  }

  #draw(): void {
    const { stderr, total } = this.#display;
    const drawn = total === undefined ? "" : ` ${bar(this.#done / total)}`;
    const text = `${this.#label}${drawn} ${this.#numbers()}`;
    stderr.write(`\r${text.slice(0, stderr.columns() - 1)}\x1b[K`);
    this.#drawn = true;
  }

  #numbers(): string {
    const { total, unit = "", from = 0 } = this.#display;
    const count = total === undefined
      ? `${this.#done}`
      : `${this.#done}/${total}`;
    const seconds = (this.#display.clock() - this.#start) / 1000;
    const parts = [unit ? `${count} ${unit}` : count];
    if (this.#done > from && seconds >= FIRST_SECONDS) {
      const rate = (this.#done - from) / seconds;
      parts.push(`${rateInWords(rate)}/s`);
      if (total !== undefined && this.#done < total) {
        parts.push(`${duration((total - this.#done) / rate)} left`);
      }
    }
    return parts.join(", ");
  }
}

/** Three digits, all of a whole number, and never an exponent. */
function rateInWords(rate: number): string {
  return rate >= 100
    ? String(Math.round(rate))
    : rate >= 0.001
    ? rate.toPrecision(3)
    : rate.toFixed(6);
}

/** Seconds as people say them: `4 s`, `2 min 5 s`, `3 h 10 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`;
}
