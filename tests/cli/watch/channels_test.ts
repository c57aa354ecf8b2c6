import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import { AnomalyCommand } from "../../../src/cli/watch/anomaly_command.ts";
import {
  brokerUrl,
  MqttTopic,
  publishedTopic,
} from "../../../src/cli/watch/mqtt.ts";
import { RefusedError } from "../../../src/cli/watch/outbox.ts";
import { SortedImages } from "../../../src/cli/watch/sorted_images.ts";
import {
  secretBytes,
  Webhook,
  webhookUrl,
} from "../../../src/cli/watch/webhook.ts";
import { UsageError } from "../../../src/cli/exit.ts";
import { sha256 } from "../../../src/core/weights.ts";
import { record } from "./audit_entries.ts";
import { NO_MOSQUITTO, startBroker } from "./mosquitto.ts";

const { signal } = new AbortController();

Deno.test("Webhook.deliver() signs, and takes 2xx alone as an answer", async () => {
  const requests: { headers: Headers; body: string }[] = [];
  let status = 204;
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      requests.push({ headers: request.headers, body: await request.text() });
      return new Response(null, { status });
    },
  );
  const webhook = new Webhook({
    url: new URL(`http://127.0.0.1:${server.addr.port}/verdicts`),
    secret: secretBytes("whsec_c2VjcmV0", "SECRET"),
  });
  const one = record(5, { verdict: "nok" });
  await webhook.deliver(one, signal);
  const { headers, body } = requests[0]!;
  assertEquals(JSON.parse(body), one);
  const id = headers.get("webhook-id");
  const time = headers.get("webhook-timestamp");
  assertEquals(id, `${"a".repeat(16)}-5`);
  assert(Math.abs(Number(time) - Date.now() / 1000) < 60);
  assertEquals(
    headers.get("webhook-signature"),
    `v1,${
      createHmac("sha256", "secret").update(`${id}.${time}.${body}`)
        .digest("base64")
    }`,
  );
  for (status of [400, 404, 422]) {
    await assertRejects(() => webhook.deliver(one, signal), RefusedError);
  }
  for (status of [301, 408, 429, 500, 503]) {
    const error = await assertRejects(() => webhook.deliver(one, signal));
    assert(!(error instanceof RefusedError), `${status}`);
  }
});

Deno.test("webhookUrl(), secretBytes(), brokerUrl() and publishedTopic() refuse what is none", () => {
  assertEquals(webhookUrl("https://a.example/b").href, "https://a.example/b");
  for (const text of ["a.example", "ftp://a.example", "http://u:p@a.example"]) {
    assertThrows(() => webhookUrl(text), UsageError);
  }
  assertEquals(secretBytes("text", "S"), new TextEncoder().encode("text"));
  for (const text of ["", "whsec_", "whsec_%"]) {
    assertThrows(() => secretBytes(text, "S"), UsageError, "secret in S");
  }
  assertEquals(brokerUrl("mqtt://a.example").host, "a.example");
  for (
    const text of ["a.example", "http://a.example", "mqtt://u:p@a.example"]
  ) {
    assertThrows(() => brokerUrl(text), UsageError);
  }
  assertEquals(publishedTopic("line/3"), "line/3");
  for (const text of ["", "line/#", "+/line"]) {
    assertThrows(() => publishedTopic(text), UsageError);
  }
});

Deno.test("AnomalyCommand.deliver() runs a program without a shell", async () => {
  const folder = await Deno.makeTempDir();
  const troubles: string[] = [];
  const command = (program: string, seconds = 30) =>
    new AnomalyCommand({
      program,
      seconds,
      onTrouble: (sentence) => troubles.push(sentence),
    });
  const script = async (name: string, text: string): Promise<string> => {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path;
  };
  try {
    const told = await script(
      "tell",
      `printf '%s\\n' "$#" "$1" "$PATCHCORE_VERDICT" "$PATCHCORE_SCORE" > ${folder}/told`,
    );
    const path = "/in/$(touch x); 'a b'.png";
    const one = record(1, {
      verdict: "nok",
      image_path: path,
      pred_score: 2.5,
    });
    await command(told).deliver(one, signal);
    assertEquals(
      (await Deno.readTextFile(`${folder}/told`)).split("\n"),
      ["1", path, "nok", "2.5", ""],
    );
    assertEquals(troubles, []);
    await command(await script("fail", "exit 4")).deliver(one, signal);
    assert(troubles[0]!.includes("ended with 4"), troubles[0]);
    await command(await script("hang", "exec sleep 60"), 0.2)
      .deliver(one, signal);
    assert(troubles[1]!.includes("longer than 0.2 s"), troubles[1]);
    await assertRejects(
      () => command(`${folder}/none`).deliver(one, signal),
      Error,
      "cannot be started",
    );
    const verdicts = ["ok", "nok", "uncertain", "error"] as const;
    assertEquals(
      verdicts.filter((verdict) => command(told).wants(verdict)),
      ["nok", "uncertain", "error"],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const how of ["copy", "link"] as const) {
  Deno.test(`SortedImages.deliver() sorts by ${how}, again to no effect`, async () => {
    const folder = await Deno.makeTempDir();
    const [root, out] = [`${folder}/in`, `${folder}/out`];
    const troubles: string[] = [];
    const sorted = new SortedImages({
      ...{ root, out, how },
      onTrouble: (sentence) => troubles.push(sentence),
    });
    const write = async (n: number, name: string, text: string) => {
      const path = `${root}/${name}`;
      await Deno.writeTextFile(`${path}.new`, text);
      await Deno.rename(`${path}.new`, path);
      const { size, mtime } = await Deno.stat(path);
      return record(n, {
        image_path: path,
        image_sha256: await sha256(new TextEncoder().encode(text)),
        image_bytes: size,
        image_modified: mtime!.getTime(),
        verdict: "nok",
      });
    };
    try {
      await Deno.mkdir(`${root}/x`, { recursive: true });
      const first = await write(1, "x/a.png", "one");
      await sorted.deliver(first);
      await sorted.deliver(first);
      const second = await write(2, "x/a.png", "another");
      await sorted.deliver(second);
      await sorted.deliver(second);
      const read = (name: string) => Deno.readTextFile(`${out}/nok/x/${name}`);
      assertEquals([await read("a.png"), await read("a~2.png")], [
        "one",
        "another",
      ]);
      const names = await Array.fromAsync(Deno.readDir(`${out}/nok/x`));
      assertEquals(names.length, 2);
      const { nlink } = await Deno.stat(`${root}/x/a.png`);
      assertEquals(nlink, how === "link" ? 2 : 1);
      assertEquals(troubles, []);
      // What has changed since must not lie among images of this verdict.
      await Deno.writeTextFile(`${root}/x/b.png`, "changed");
      await sorted.deliver(record(3, { image_path: `${root}/x/b.png` }));
      assert(troubles[0]!.startsWith("Cannot sort image 3"), troubles[0]);
      await sorted.deliver(record(4, { image_sha256: null }));
      assertEquals(troubles.length, 1);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test({
  name: `MqttTopic.deliver() publishes, and connects anew${
    NO_MOSQUITTO === undefined ? "" : ` (left out: ${NO_MOSQUITTO})`
  }`,
  ignore: NO_MOSQUITTO !== undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const port = 18_830 + Deno.pid % 1000;
    const topic = new MqttTopic({
      url: new URL(`mqtt://line@127.0.0.1:${port}`),
      topic: "line/3",
      password: "secret",
    });
    const one = record(1);
    await assertRejects(() => topic.deliver(one, signal));
    for (let i = 0; i < 2; i++) {
      await using broker = await startBroker(port);
      await using heard = await listen(broker.url, "line/3");
      // The connection of before is gone, which may show only now.
      await topic.deliver(one, signal).catch(() => topic.deliver(one, signal));
      assertEquals(JSON.parse(await heard.next()), one);
    }
    topic.close();
  },
});

/** What is published under a topic. */
async function listen(
  url: string,
  topic: string,
): Promise<AsyncDisposable & { next(): Promise<string> }> {
  const { connectAsync } = await import(
    "../../../src/cli/watch/mqtt_client.ts"
  );
  const client = await connectAsync(url);
  const messages: string[] = [];
  let wake = (): void => {};
  client.on("message", (_topic: string, payload: Uint8Array) => {
    messages.push(new TextDecoder().decode(payload));
    wake();
  });
  await client.subscribeAsync(topic, { qos: 1 });
  return {
    async next(): Promise<string> {
      while (messages.length === 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      return messages.shift()!;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}
