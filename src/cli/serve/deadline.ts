import { HttpProblem, unavailable } from "./problem.ts";

/** Ends a request's work when its time is up or its client has gone. */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #request: AbortSignal;
  readonly #onGone = (): void =>
    this.#abort.abort(new HttpProblem(499, "The client closed the connection"));

  /**
   * Starts now.
   *
   * @param seconds Until the request is answered with 503.
   * @param request Aborted when the client has gone.
   */
  constructor(seconds: number, request: AbortSignal) {
    this.#timer = setTimeout(
      () =>
        this.#abort.abort(
          unavailable(
            `The service did not get to it within ${seconds} s; send it again later`,
          ),
        ),
      seconds * 1000,
    );
    this.#request = request;
    if (request.aborted) this.#onGone();
    else request.addEventListener("abort", this.#onGone);
  }

  /** Aborted with the {@linkcode HttpProblem} to answer with. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#request.removeEventListener("abort", this.#onGone);
  }
}
