import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { PatchCore, type Pixels } from "../../src/core/mod.ts";
import { DEMO_PRODUCTS, demoSet } from "../../src/core/demo/demo_set.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { demoBackbone } from "../../src/cli/load_backbone.ts";
import { byStatus, capacity, overload } from "../../bench/load.ts";
import { tinyDetector, tinyImages } from "../tiny_model.ts";
import { runCommand } from "./run_command.ts";
import { serve } from "../../src/cli/serve.ts";
import { formBody, hugePng, imageBody } from "./serve/fake_service.ts";
import {
  type ServiceProcess,
  type SpawnedService,
  spawnService,
  startService,
} from "./serve/service_process.ts";

Deno.test("serve as a program", async (t) => {
  const folder = await Deno.makeTempDir();
  const [circuit, flange] = ["circuit", "flange"].map((name) =>
    `${folder}/${name}.safetensors`
  ) as [string, string];
  const images: Uint8Array<ArrayBuffer>[] = [];
  const scores: number[] = [];
  {
    using detector = await PatchCore.create({
      backbone: await demoBackbone(),
      square: true,
      crop: null,
      coreset: 0.02,
    });
    const counts = { train: 2, good: 1, defective: 1 };
    for (const [i, path] of [flange, circuit].entries()) {
      const set = [...demoSet(DEMO_PRODUCTS[i]!, counts)];
      const train = set.filter(({ split }) => split === "train");
      await detector.fit(train.map(({ pixels }) => pixels));
      await Deno.writeFile(path, detector.save({ bundle: i === 0 }));
      if (path === flange) continue;
      const test = set.filter(({ split }) => split === "test").slice(0, 2);
      for (const { pixels } of test) images.push(await encodePng(pixels));
      for await (const { score } of detector.predict(images)) {
        scores.push(score);
      }
    }
  }
  const [first, second] = images as [typeof images[0], typeof images[0]];
  const models = ["--model", flange, "--model", circuit];
  try {
    const service = await startService(...models, "--queue", "8");
    const { url } = service;
    const at = (path: string, init?: RequestInit) => fetch(url + path, init);
    const statusOf = async (path: string, init?: RequestInit) => {
      const response = await at(path, init);
      await response.body?.cancel();
      return response.status;
    };
    const path = "/predict?model=circuit";
    let stopped: Awaited<ReturnType<ServiceProcess["stop"]>> | undefined;
    try {
      await t.step("both models share one backbone", async () => {
        const { models } = await (await at("/models")).json();
        assertEquals(
          models.map(({ name }: { name: string }) => name),
          ["flange", "circuit"],
        );
        assertEquals(await statusOf("/health"), 200);
      });
      await t.step(
        "one image and a form score as the library does",
        async () => {
          const one = await at(path, imageBody(first));
          assertEquals((await one.json()).pred_score, scores[0]);
          const files = { "a.png": first, "b.png": second, "c.png": first };
          const form = await at(path, formBody(files));
          const results = await form.json();
          assertEquals(
            results.map((result: { pred_score: number }) => result.pred_score),
            [scores[0], scores[1], scores[0]],
          );
        },
      );
      await t.step("maps come as PNG", async () => {
        const accept = { accept: "image/png" };
        for (const map of ["png", "overlay"]) {
          const body = imageBody(first, accept);
          const response = await at(`${path}&map=${map}`, body);
          assertEquals(response.headers.get("content-type"), "image/png");
          assert((await response.bytes()).length > 1000);
        }
      });
      await t.step(
        "bad bodies are refused while others are answered",
        async () => {
          const bodies: [RequestInit, number][] = [
            [imageBody(new Uint8Array()), 400],
            [imageBody(first.subarray(0, 9000)), 422],
            [imageBody(await hugePng(10_000)), 413],
            [imageBody(first, { "content-type": "text/html" }), 415],
            [imageBody(first, { "content-type": "multipart/form-data" }), 400],
          ];
          const good = statusOf(path, imageBody(first));
          for (const [body, status] of bodies) {
            const response = await at(path, body);
            assertEquals(response.status, status);
            assertMatch((await response.json()).error, /^[A-Z][^\n]+[^.\n]$/);
          }
          const unknown = await at("/predict?model=x", imageBody(first));
          await unknown.body?.cancel();
          assertEquals(unknown.status, 404);
          assertEquals(await good, 200);
          for (
            const length of [
              "content-length: 200000000",
              "transfer-encoding: chunked",
            ]
          ) {
            assertMatch(
              await sendEndlessly(url, path, length),
              /^HTTP\/1.1 413 /,
            );
          }
        },
      );
      await t.step(
        "twice the load it can do is answered 200 or 429",
        async () => {
          const send = () => statusOf(path, imageBody(first));
          const most = await capacity(send, 4, 1);
          const { answers, unsent } = await overload(send, {
            rate: Math.max(20, 2 * most),
            seconds: 2,
            mostUnderWay: 100,
          });
          const [done, full, ...other] = byStatus(answers);
          assertEquals([done?.status, full?.status], [200, 429]);
          assertEquals([unsent, other], [0, []]);
          const metrics = await (await at("/metrics")).text();
          assertMatch(metrics, /process_resident_memory_bytes \d{8,}/);
          assertStringIncludes(metrics, "patchcore_queue_images 0");
        },
      );
      await t.step(
        "SIGTERM answers what was accepted, then ends with 0",
        async () => {
          const last = Array.from(
            { length: 4 },
            () => statusOf(path, imageBody(first)),
          );
          while ((await (await at("/health")).json()).queue.images < 4);
          stopped = await service.stop("SIGTERM");
          assertEquals(await Promise.all(last), [200, 200, 200, 200]);
          assertEquals(stopped.code, 0, stopped.stderr);
        },
      );
    } finally {
      stopped ??= await service.stop("SIGTERM");
    }
    await t.step("every request is one JSON line on stderr", () => {
      const lines = stopped!.stderr.split("\n").filter((line) =>
        line.startsWith("{")
      );
      const entries = lines.map((line) => JSON.parse(line));
      const scored = entries.filter(({ status, model }) =>
        status === 200 && model
      );
      assert(scored.length >= 10);
      assertEquals(scored[0].model, "circuit");
      assertStringIncludes(stopped!.stderr, "1 backbone");
    });
    await t.step(
      "docs/service.md holds, with a token; SIGINT ends with 130",
      async () => {
        const token = `${folder}/token.txt`;
        await Deno.writeTextFile(token, "s3cret\n");
        const service = await startService(
          ...["--model", circuit, "--token-file", token],
        );
        for (const name of ["photo", "photo2"]) {
          await Deno.writeFile(`${folder}/${name}.png`, first);
        }
        const { success: hasCurl } = await new Deno.Command("sh", {
          args: ["-c", "command -v curl"],
          stdout: "null",
        }).output();
        assert(hasCurl, "the document's commands need curl: install it");
        const answers = await runCurls(service.url, folder);
        assertEquals(answers.map(({ status }) => status), [
          200,
          200,
          200,
          200,
          200,
        ]);
        assertStringIncludes(answers[0]!.text, `"pred_score":${scores[0]}`);
        assertStringIncludes(answers[3]!.text, '"png":"iVBORw0KGgo');
        const refused = await fetch(`${service.url}/models`);
        await refused.body?.cancel();
        const headers = { authorization: "Bearer s3cret" };
        const allowed = await fetch(`${service.url}/models`, { headers });
        await allowed.body?.cancel();
        const { port } = new URL(service.url);
        const taken = await runCommand(serve, ...models, "--port", port);
        const { code, stderr } = await service.stop("SIGINT");
        assertEquals([refused.status, allowed.status], [401, 200]);
        assertEquals(code, 130);
        assert(!stderr.includes("s3cret"));
        assertEquals(taken.code, 1);
        assertMatch(
          taken.stderr,
          /error: Cannot listen on 127.0.0.1:\d+: .*--port/,
        );
      },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs the document's curl commands; returns each one's status and output. */
async function runCurls(
  url: string,
  cwd: string,
): Promise<{ status: number; text: string }[]> {
  const document = await Deno.readTextFile(
    new URL("../../docs/service.md", import.meta.url),
  );
  const shell = [...document.matchAll(/^```sh\n(.*?)^```$/gms)]
    .map(([, text]) => text!).join("").replaceAll("\\\n", "");
  const commands = shell.split("\n").filter((line) => line.startsWith("curl "));
  const token = (command: string) =>
    command.includes("authorization")
      ? ""
      : "-H 'authorization: Bearer s3cret'";
  return await Promise.all(commands.map(async (command) => {
    const args = command.slice("curl ".length)
      .replaceAll(/http:\/\/(127.0.0.1|HOST):8080/g, url);
    const line = `curl -sS -w '\\n%{http_code}' ${token(args)} ${args}`;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", line],
      cwd,
    }).output();
    const decoder = new TextDecoder();
    const [, text = "", status = decoder.decode(stderr)] =
      /^(.*)\n(\d+)$/s.exec(decoder.decode(stdout)) ?? [];
    return { status: Number(status), text };
  }));
}

/** Sends an endless body by hand; returns how the answer begins. */
async function sendEndlessly(
  url: string,
  path: string,
  length: string,
): Promise<string> {
  const { hostname, port, host } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const encoder = new TextEncoder();
  const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n` +
    `content-type: image/png\r\n${length}\r\n\r\n`;
  await connection.write(encoder.encode(head));
  const chunk = encoder.encode(`10000\r\n${"x".repeat(65_536)}\r\n`);
  const sending = (async () => {
    try {
      for (let sent = 0; sent < 200e6; sent += chunk.length) {
        for (let at = 0; at < chunk.length;) {
          at += await connection.write(chunk.subarray(at));
        }
      }
    } catch {
      // The service closes the connection, as it should.
    }
  })();
  const answer = new Uint8Array(4096);
  const read = await connection.read(answer) ?? 0;
  connection.close();
  await sending;
  return new TextDecoder().decode(answer.subarray(0, read));
}

Deno.test("serve answers 503 until its models are loaded, and stops while it loads", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const model = `${folder}/tiny.safetensors`;
    {
      using detector = await tinyDetector();
      await Deno.writeFile(model, detector.save({ bundle: true }));
    }
    const image = await encodePng(tinyImages(1).test[0]!.content as Pixels);
    const options = ["--model", model, "--no-autotune"];
    await t.step("503 with Retry-After, then 200", async () => {
      const service = spawnService(...options);
      try {
        const url = await listening(service);
        const ask = async () => {
          const response = await fetch(`${url}/predict`, imageBody(image));
          await response.body?.cancel();
          return [response.status, response.headers.get("retry-after")];
        };
        assertEquals(await ask(), [503, "2"]);
        const health = await fetch(`${url}/health`);
        const { status } = await health.json();
        assertEquals([health.status, status], [503, "starting"]);
        assertEquals(await service.ready, url);
        assertEquals(await ask(), [200, null]);
      } finally {
        await service.stop("SIGTERM");
      }
    });
    await t.step("SIGTERM while it loads ends it with 0", async () => {
      const service = spawnService(...options);
      service.ready.catch(() => {});
      await listening(service);
      const { code, stderr } = await service.stop("SIGTERM");
      assertEquals(code, 0, stderr);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Where a service listens, as soon as it does. */
async function listening({ messages }: SpawnedService): Promise<string> {
  let text = "";
  for await (const piece of messages) {
    text += piece;
    const [url] = /http:\S+(?= answers 503)/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new AssertionError(`It does not listen: ${text}`);
}

Deno.test.each([
  [[], "--model M.safetensors is missing"],
  [["--model", "a", "--model", "a"], "a model twice"],
  [["--model", "a", "--batch", "3"], "a power of two, such as 2"],
  [["--model", "a", "--host", "0.0.0.0"], "without a token"],
  [["--model", "a", "--token", "a b"], "without spaces"],
  [["--model", "a", "--token", "a", "--token-file", "b"], "not both"],
  [["--model", "a", "--max-bytes", "20MB"], "such as 20MiB"],
  [["--model", "a", "--max-bytes", "2GiB"], "up to 1GiB"],
  [["--model", "a", "--port", "70000"], "from 0 to 65535"],
  [["--model", "a", "--timeout", "0"], "above 0"],
  [["--model", "a", "--allow-origin", "line.example"], "without a path"],
  [["--model", "a", "--allow-origin", "http://h/x"], "without a path"],
  [["--model", "a", "photo.png"], "Unexpected argument"],
])("serve refuses %j", async (argv, reason) => {
  const { code, stderr } = await runCommand(serve, ...argv);
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, reason);
});

Deno.test("serve tells in one sentence that a model is not there, or is none", async () => {
  const missing = await runCommand(serve, "--model", "/nowhere/a.safetensors");
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /^error: Cannot read "\/nowhere.*not exist\n/m);
});
