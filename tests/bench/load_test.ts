import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  byStatus,
  capacity,
  growth,
  overload,
  quantile,
  slope,
} from "../../bench/load.ts";

/** A service that does one request after the other. */
function oneByOne(ms: number, most: number): () => Promise<number> {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  return async () => {
    if (waiting >= most) return 429;
    waiting++;
    last = last.then(() => new Promise((resolve) => setTimeout(resolve, ms)));
    await last;
    waiting--;
    return 200;
  };
}

Deno.test("overload() finds a bounded service full, and every request answered", async () => {
  const send = oneByOne(5, 3);
  const most = await capacity(send, 2, 0.1);
  assert(most > 1 && most < 201, `${most}`);
  const options = { rate: 1000, seconds: 0.2, mostUnderWay: 1000 };
  const { answers, unsent } = await overload(send, options);
  assertEquals([answers.length, unsent], [200, 0]);
  assertEquals(byStatus(answers).map(({ status }) => status), [200, 429]);
});

Deno.test("overload() counts what breaks and what it could not send", async () => {
  const stuck = Promise.withResolvers<number>();
  setTimeout(() => stuck.reject(new Error("reset")), 100);
  const options = { rate: 1000, seconds: 0.05, mostUnderWay: 10 };
  const { answers, unsent } = await overload(() => stuck.promise, options);
  assertEquals(answers.length + unsent, 50);
  assert(answers.length >= 10 && unsent > 0, `${unsent} were not sent`);
  assertEquals(byStatus(answers).map(({ status }) => status), [0]);
  await assertRejects(() => capacity(() => Promise.resolve(503), 1, 1), Error);
});

Deno.test("quantile() and growth() are those of their definitions", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assertEquals([quantile(hundred, 0.5), quantile(hundred, 0.99)], [50, 99]);
  assertEquals(quantile([7], 0.99), 7);
  assertEquals(growth([9, 9, 1, 2, 3, 4, 4, 4]), 2);
  assertEquals(growth([5, 5, 5, 5, 5, 5]), 1);
});

Deno.test("slope() is that of a line, and of the line between scattered points", () => {
  assertEquals(slope([[0, 1], [2, 5], [5, 11]]), 2);
  assertEquals(slope([[0, 0], [1, 3], [2, 0]]), 0);
});
