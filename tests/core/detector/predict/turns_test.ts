import { assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../../../src/core/detector/predict/turns.ts";

Deno.test("Turns.take() does one piece of work after the other, failed ones too", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 0));
    log.push(`${name} ends`);
    if (name === "b") throw new Error("no");
    return name;
  };
  const [a, b, c] = await Promise.allSettled(
    ["a", "b", "c"].map((name) => turns.take(work(name))),
  );
  assertEquals(
    [a?.status, b?.status, c?.status],
    ["fulfilled", "rejected", "fulfilled"],
  );
  assertEquals(
    log,
    ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

Deno.test("Turns.close() frees at once where nobody works", async () => {
  const turns = new Turns();
  await turns.take(() => 1);
  let freed = 0;
  void turns.close(() => freed++);
  assertEquals(freed, 1);
  await turns.close(() => freed++);
  assertEquals(freed, 1);
});

Deno.test("Turns.close() frees after the work under way, and refuses the rest", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const underWay = turns.take(async () => {
    await promise;
    log.push("worked");
  });
  const waiting = turns.take(() => log.push("too late"));
  await Promise.resolve();
  const closed = turns.close(() => log.push("freed"));
  assertEquals(log, []);
  resolve();
  await underWay;
  await assertRejects(() => waiting, TypeError, "was disposed of");
  await closed;
  await assertRejects(() => turns.take(() => {}), TypeError, "disposed of");
  assertEquals(log, ["worked", "freed"]);
});
