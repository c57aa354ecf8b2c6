import { assert, assertEquals } from "@std/assert";
import {
  type Channel,
  Outbox,
  RefusedError,
} from "../../../src/cli/watch/outbox.ts";
import type { AuditRecord } from "../../../src/cli/watch/audit_log.ts";
import { record } from "./audit_entries.ts";
import { until } from "./watch_process.ts";

/** A channel that does what it is told. */
class FakeChannel implements Channel {
  readonly name: string;
  readonly heard: number[] = [];
  fail: (record: AuditRecord) => Error | undefined = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  wants(verdict: AuditRecord["verdict"]): boolean {
    return this.name !== "command" || verdict !== "ok";
  }

  deliver(record: AuditRecord): Promise<void> {
    const error = this.fail(record);
    if (error !== undefined) return Promise.reject(error);
    this.heard.push(record.n);
    return Promise.resolve();
  }
}

interface Setup {
  readonly path: string;
  readonly troubles: string[];
  /** Opens an outbox as a program does that finds some records. */
  open(
    channels: readonly Channel[],
    records: readonly AuditRecord[],
  ): Promise<Outbox>;
}

async function setup(work: (setup: Setup) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/delivered.jsonl`;
  const troubles: string[] = [];
  try {
    await work({
      path,
      troubles,
      async open(channels, records): Promise<Outbox> {
        const outbox = await Outbox.open(path, {
          channels,
          onTrouble: (sentence) => troubles.push(sentence),
          onFailure: (error) => {
            throw error;
          },
          wait: 1,
        });
        for (const one of records) outbox.recall(one);
        await outbox.start((records.at(-1)?.n ?? 0) + 1);
        return outbox;
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const due = (n: number, ...deliver: string[]): AuditRecord =>
  record(n, { deliver });

Deno.test("Outbox asks channels what they want", () =>
  setup(async ({ open }) => {
    const channels = [new FakeChannel("mqtt"), new FakeChannel("command")];
    await using outbox = await open(channels, []);
    assertEquals(outbox.namesFor("ok"), ["mqtt"]);
    assertEquals(outbox.namesFor("error"), ["mqtt", "command"]);
  }));

Deno.test("Outbox tells each channel, in order, and of nothing twice", () =>
  setup(async ({ open }) => {
    const all = [1, 2, 3].map((n) => due(n, "a", "b"));
    const [a, b] = [new FakeChannel("a"), new FakeChannel("b")];
    {
      await using outbox = await open([a, b], []);
      for (const one of all) outbox.add(one);
      await until("all are told", () => a.heard.length + b.heard.length === 6);
      assertEquals([...outbox.waiting.values()], [0, 0]);
    }
    assertEquals([a.heard, b.heard], [[1, 2, 3], [1, 2, 3]]);
    {
      await using _outbox = await open([a, b], [...all, due(4, "a")]);
      await until("the fourth is told", () => a.heard.length === 4);
    }
    assertEquals([a.heard, b.heard], [[1, 2, 3, 4], [1, 2, 3]]);
  }));

Deno.test("Outbox tells again what was not acknowledged", () =>
  setup(async ({ open, path, troubles }) => {
    const all = [1, 2, 3].map((n) => due(n, "a"));
    const a = new FakeChannel("a");
    let failures = 0;
    a.fail = ({ n }) =>
      n === 2 && failures++ < 5 ? new Error("down") : undefined;
    {
      await using outbox = await open([a], []);
      for (const one of all) outbox.add(one);
      await until("all are told", () => a.heard.length === 3);
    }
    assertEquals(a.heard, [1, 2, 3]);
    assert(
      troubles[0]!.startsWith('Cannot tell a of image 2, "/in/2.png": down'),
    );
    // A crash may cut the last line off: it is told again.
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.slice(0, -5));
    await using _outbox = await open([a], all);
    await until("the last is told again", () => a.heard.length === 4);
    assertEquals(a.heard, [1, 2, 3, 3]);
  }));

Deno.test("Outbox does not let others wait for one that is refused", () =>
  setup(async ({ open }) => {
    const a = new FakeChannel("a");
    let refused = 0;
    a.fail = ({ n }) =>
      n === 1 && refused++ < 4 ? new RefusedError("no") : undefined;
    await using outbox = await open([a], []);
    for (const n of [1, 2, 3]) outbox.add(due(n, "a"));
    await until("all are told", () => a.heard.length === 3);
    assertEquals(a.heard, [2, 3, 1]);
  }));

Deno.test("Outbox remembers what another run has to tell", () =>
  setup(async ({ open }) => {
    const all = [1, 2, 3].map((n) => due(n, "a", "b"));
    const [a, b] = [new FakeChannel("a"), new FakeChannel("b")];
    {
      await using outbox = await open([a], all);
      await until("all are told", () => a.heard.length === 3);
      assertEquals([...outbox.orphans], [["b", 3]]);
    }
    await using _outbox = await open([b], all);
    await until("all are told", () => b.heard.length === 3);
  }));
