import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AuditLog,
  type AuditRecord,
} from "../../../src/cli/watch/audit_log.ts";
import { FileError } from "../../../src/cli/disk.ts";
import { entry } from "./audit_entries.ts";

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(`${folder}/audit.jsonl`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("AuditLog numbers records, and knows them again", () =>
  withFile(async (path) => {
    {
      await using audit = await AuditLog.open(path);
      const added = await Promise.all(
        Array.from({ length: 200 }, (_, i) => audit.add(entry(`${i}.png`))),
      );
      assertEquals(added.map(({ n }) => n), added.map((_, i) => i + 1));
    }
    const earlier: AuditRecord[] = [];
    await using audit = await AuditLog.open(path, (one) => earlier.push(one));
    assertEquals(earlier.map(({ image_path }) => image_path).at(-1), "199.png");
    assertEquals([audit.images, audit.next], [200, 201]);
    assert(audit.has(entry("7.png")));
    // The same name is another image when its bytes, size or time differ.
    for (
      const other of [
        { image_sha256: "c".repeat(64) },
        { image_bytes: 11 },
        { image_modified: 1001 },
      ]
    ) assert(!audit.has(entry("7.png", other)));
    assert(!audit.has(entry("other.png")));
    const version = { path: "7.png", size: 10, modified: 1000, stamp: "" };
    assert(audit.isLast(version));
    assert(!audit.isLast({ ...version, size: 9 }));
  }));

Deno.test("AuditLog.open() takes a torn end out, at every byte", () =>
  withFile(async (path) => {
    {
      await using audit = await AuditLog.open(path);
      await audit.add(entry("1.png"));
      await audit.add(entry("2.png"));
    }
    const whole = await Deno.readFile(path);
    const first = whole.indexOf(10) + 1;
    for (let end = first; end < whole.length; end += 7) {
      await Deno.writeFile(path, whole.subarray(0, end));
      {
        await using audit = await AuditLog.open(path);
        assertEquals(audit.images, 1);
        assert(!audit.has(entry("2.png")));
        await audit.add(entry("2.png"));
      }
      assertEquals(await Deno.readFile(path), whole);
    }
    // A power cut may leave zeros where a line was to be.
    await Deno.writeFile(path, new Uint8Array([...whole, 0, 0, 10, 0]));
    await using audit = await AuditLog.open(path);
    assertEquals(audit.images, 2);
    assertEquals((await Deno.stat(path)).size, whole.length);
  }));

Deno.test("AuditLog.open() refuses a file that is damaged inside", () =>
  withFile(async (path) => {
    const line = (n: number) => JSON.stringify({ n, ...entry(`${n}.png`) });
    await Deno.writeTextFile(path, `${line(1)}\n{"n":\n${line(3)}\n`);
    const before = await Deno.readFile(path);
    await assertRejects(
      () => AuditLog.open(path),
      FileError,
      'audit.jsonl:2": it is no record',
    );
    assertEquals(await Deno.readFile(path), before);
  }));

Deno.test("AuditLog.add() fails once it is closed", () =>
  withFile(async (path) => {
    const audit = await AuditLog.open(path);
    await audit[Symbol.asyncDispose]();
    await assertRejects(() => audit.add(entry("1.png")), FileError, "closed");
  }));
