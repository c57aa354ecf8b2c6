import type { FailureRecord } from "../prediction_record.ts";
import { oneLine } from "../terminal.ts";

/** What a refused request is answered with, as JSON. */
interface ProblemBody {
  /** One sentence: what, why, what to do. */
  readonly error: string;
  /** Every image's own error, where a request had several. */
  readonly images?: readonly FailureRecord[];
}

/** HTTP statuses a request is refused with. */
export type ProblemStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 406
  | 408
  | 413
  | 415
  | 422
  | 429
  | 431
  | 499
  | 500
  | 503;

/** A request that is refused, and how the client is told. */
export class HttpProblem extends Error {
  override name = "HttpProblem";
  /** The HTTP status. */
  readonly status: ProblemStatus;
  /** Header fields of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every image's own error, where a request had several. */
  readonly images: readonly FailureRecord[] | undefined;

  /**
   * @param status HTTP status.
   * @param message One sentence without a final period. Names in it are the
   * client's: their control characters are written out.
   * @param options More of the answer.
   */
  constructor(
    status: ProblemStatus,
    message: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly images?: readonly FailureRecord[];
    } = {},
  ) {
    super(oneLine(message));
    this.status = status;
    this.headers = options.headers ?? {};
    this.images = options.images;
  }

  /** The answer: status, header fields and the message as JSON. */
  response(): Response {
    const body: ProblemBody = {
      error: this.message,
      ...(this.images && { images: this.images }),
    };
    return Response.json(body, { status: this.status, headers: this.headers });
  }
}

/** The service is full: the client may come back in a moment. */
export function tooBusy(message: string): HttpProblem {
  return new HttpProblem(429, message, { headers: { "retry-after": "1" } });
}

/** The service cannot answer now, for a reason that passes. */
export function unavailable(message: string): HttpProblem {
  return new HttpProblem(503, message, { headers: { "retry-after": "5" } });
}

/** As much of what a client sent as a message should repeat. */
export function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
