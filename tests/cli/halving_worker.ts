/**
 * A thread that halves numbers, breaks on a negative one and hangs on zero.
 *
 * @module
 */
import { onMessage, post } from "../../src/cli/worker_thread.ts";

onMessage<number>((number) => {
  if (number < 0) throw new RangeError(`${number} is negative`);
  if (number > 0) post(number / 2, []);
});
