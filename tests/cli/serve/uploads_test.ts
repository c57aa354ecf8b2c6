import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { Uploads } from "../../../src/cli/serve/uploads.ts";
import { SMALL_LIMITS } from "./fake_service.ts";

const { signal: NEVER } = new AbortController();

/** A body that a test sends piece by piece. */
class Sender {
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** Why it was stopped. */
  stopped: unknown;
  readonly request: Request;

  constructor(length?: number) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: (reason) => {
        this.stopped = reason;
      },
    });
    const headers = length === undefined
      ? {}
      : { "content-length": String(length) };
    this.request = new Request("http://h/", { method: "POST", body, headers });
  }

  send(bytes: number): void {
    this.#controller.enqueue(new Uint8Array(bytes).fill(7));
  }

  end(): void {
    this.#controller.close();
  }

  break(): void {
    this.#controller.error(new Error("reset"));
  }
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

Deno.test("Uploads.read() gives the body and counts it until it is disposed", async () => {
  const uploads = new Uploads(SMALL_LIMITS);
  for (const length of [5, 500, undefined]) {
    const sender = new Sender(length);
    const reading = uploads.read(sender.request, NEVER);
    assertEquals(uploads.bodies, 1);
    sender.send(3);
    await turns();
    assertEquals(uploads.bytes, 3);
    sender.send(2);
    sender.end();
    {
      using body = await reading;
      assertEquals(body.bytes, new Uint8Array(5).fill(7));
      assertEquals(body.bytes.buffer.byteLength, 5);
      assertEquals([uploads.bodies, uploads.bytes], [0, 5]);
    }
    assertEquals(uploads.bytes, 0);
  }
});

Deno.test("Uploads.read() refuses what is too large or breaks off, and forgets it", async () => {
  const uploads = new Uploads(SMALL_LIMITS);
  const refusal = async (sender: Sender) => {
    const error = await assertRejects(
      () => uploads.read(sender.request, NEVER),
      HttpProblem,
    );
    assertEquals([uploads.bodies, uploads.bytes], [0, 0]);
    return error.status;
  };
  assertEquals(await refusal(new Sender(20_001)), 413);
  const more = new Sender(10);
  more.send(6);
  more.send(6);
  assertEquals(await refusal(more), 413);
  assert(more.stopped instanceof HttpProblem);
  const endless = new Sender();
  for (let i = 0; i < 21; i++) endless.send(1000);
  assertEquals(await refusal(endless), 413);
  const broken = new Sender();
  broken.break();
  assertEquals(await refusal(broken), 400);
});

Deno.test("Uploads gives up on who falls silent or sends too slowly", async () => {
  const uploads = new Uploads({ ...SMALL_LIMITS, idle: 0.1, pace: 1000 });
  const silent = new Sender(100);
  await assertRejects(
    () => uploads.read(silent.request, NEVER),
    HttpProblem,
    "nothing came for 0.1 s",
  );
  assert(silent.stopped instanceof HttpProblem);
  const slow = new Sender(100);
  const dripping = setInterval(() => slow.send(1), 20);
  const error = await assertRejects(
    () => uploads.read(slow.request, NEVER),
    HttpProblem,
    "less than 1000 bytes came a second",
  );
  clearInterval(dripping);
  assertEquals(error.status, 408);
  assertEquals([uploads.bodies, uploads.bytes], [0, 0]);
});

Deno.test("Uploads makes room for others by ending the slowest body", async () => {
  const limits = { ...SMALL_LIMITS, bodies: 3, idle: 60, pace: 120 };
  const uploads = new Uploads(limits);
  const senders = [200, 0, 100].map((bytes) => {
    const sender = new Sender();
    if (bytes > 0) sender.send(bytes);
    return sender;
  });
  const readings = senders.map(({ request }) => uploads.read(request, NEVER));
  readings.forEach((reading) => reading.catch(() => {}));
  const early = new Sender();
  const full = await assertRejects(
    () => uploads.read(early.request, NEVER),
    HttpProblem,
    "3 bodies are arriving",
  );
  assertEquals([full.status, full.headers["retry-after"]], [429, "1"]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const young = new Sender();
  const others = [1, 2].map(async (slowest) => {
    const other = new Sender();
    const reading = uploads.read(other.request, NEVER);
    const error = await assertRejects(() => readings[slowest]!, HttpProblem);
    assertEquals(error.status, 408);
    other.send(4);
    other.end();
    assertEquals((await reading).bytes.length, 4);
  });
  await assertRejects(() => uploads.read(young.request, NEVER), HttpProblem);
  await Promise.all(others);
  senders[0]!.end();
  assertEquals((await readings[0]!).bytes.length, 200);
  assertEquals(uploads.bodies, 0);
});

Deno.test("Uploads bounds the bytes of all bodies", async () => {
  const uploads = new Uploads({ ...SMALL_LIMITS, bodyBytes: 1000 });
  const held = new Sender();
  held.send(800);
  held.end();
  using body = await uploads.read(held.request, NEVER);
  assertEquals(body.bytes.length, 800);
  const other = new Sender();
  other.send(300);
  const error = await assertRejects(
    () => uploads.read(other.request, NEVER),
    HttpProblem,
  );
  assertEquals([error.status, uploads.bytes], [429, 800]);
});

Deno.test("Uploads.read() fails as its signal says", async () => {
  const uploads = new Uploads(SMALL_LIMITS);
  const gone = new AbortController();
  const sender = new Sender();
  const reading = uploads.read(sender.request, gone.signal);
  gone.abort(new HttpProblem(499, "The client closed the connection"));
  const error = await assertRejects(() => reading, HttpProblem);
  assertEquals(error.status, 499);
  const late = new Sender();
  await assertRejects(
    () => uploads.read(late.request, gone.signal),
    HttpProblem,
  );
  assertEquals(uploads.bodies, 0);
});
