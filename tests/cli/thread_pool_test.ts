import { assertEquals, assertRejects } from "@std/assert";
import { ThreadError, ThreadPool } from "../../src/cli/thread_pool.ts";

const url = new URL("./halving_worker.ts", import.meta.url);
const startWorker = (): Worker => new Worker(url, { type: "module" });

for (const [threads, depth] of [[1, 1], [1, 4], [2, 1], [2, 3]] as const) {
  Deno.test(`ThreadPool answers every task with ${threads} threads, ${depth} deep`, async () => {
    using pool = new ThreadPool<number, number>({
      threads,
      depth,
      startWorker,
    });
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
    const halves = await Promise.all(numbers.map((n) => pool.run(n)));
    assertEquals(halves, numbers.map((n) => n / 2));
  });

  Deno.test(`ThreadPool replaces a broken one of ${threads} threads, ${depth} deep`, async () => {
    using pool = new ThreadPool<number, number>({
      threads,
      depth,
      startWorker,
    });
    const before = pool.run(2);
    const failing = pool.run(-1);
    const after = [4, 6, 8, 10].map((n) => pool.run(n));
    await assertRejects(() => failing, ThreadError, "-1 is negative");
    assertEquals(await before, 1);
    assertEquals(await Promise.all(after), [2, 3, 4, 5]);
  });
}

Deno.test("ThreadPool replaces a thread whose task takes too long", async () => {
  using pool = new ThreadPool<number, number>({
    threads: 1,
    seconds: 1.5,
    startWorker,
  });
  const hanging = pool.run(0);
  const next = pool.run(2);
  await assertRejects(() => hanging, ThreadError, "takes more than 1.5 s");
  assertEquals(await next, 1);
});

Deno.test("ThreadPool fails what is not done when it is disposed", async () => {
  const pool = new ThreadPool<number, number>({ threads: 1, startWorker });
  const running = assertRejects(() => pool.run(0), ThreadError, "ended");
  const waiting = assertRejects(() => pool.run(2), ThreadError, "ended");
  pool[Symbol.dispose]();
  await Promise.all([running, waiting]);
});
