import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { defineCommand } from "../../src/cli/command.ts";
import { DownloadError } from "../../src/cli/download.ts";
import { UsageError } from "../../src/cli/exit.ts";
import { runProgram } from "../../src/cli/main.ts";
import {
  knownWeights,
  type PullOptions,
  pullWeights,
} from "../../src/cli/pull_weights.ts";
import {
  architecture,
  CheckpointError,
  type KnownWeights,
} from "../../src/core/weights.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import { sha256 } from "../../src/nn/sha256.ts";
import type { StoredTensor } from "../../src/nn/stored_tensor.ts";
import { randomFloats } from "../testing.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withFiles } from "./with_files.ts";

/** ResNet-18 up to layer1, as a file with the official one's role. */
const FILE = stem();
const DIGEST = await sha256(FILE);
const KNOWN: KnownWeights = {
  ...knownWeights("resnet18"),
  file: `resnet18-${DIGEST.slice(0, 8)}.pth`,
  sha256: DIGEST.slice(0, 8),
};

function stem(): Uint8Array<ArrayBuffer> {
  const tensors: [string, StoredTensor][] = architecture("resnet18").parameters
    .filter(({ name }) => /^(conv1|bn1|layer1)\b/.test(name))
    .map(({ name, shape }, i) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const { data } = floatTensor(shape, randomFloats(i, size));
      return [name, { dtype: "F32", shape, data }];
    });
  return writeSafetensors(tensors);
}

/** Serves files by path on 127.0.0.1 while `use` runs in an empty folder. */
async function serving(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
  use: (options: PullOptions & { mirror: string }, asked: string[]) => Promise<
    void
  >,
): Promise<void> {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const bytes = files[pathname];
      return bytes ? new Response(bytes) : new Response(null, { status: 404 });
    },
  );
  try {
    await withFiles([], async (root) => {
      const mirror = `http://127.0.0.1:${server.addr.port}/models/`;
      const folder = `${root}/new/folder`;
      await use({ folder, mirror, until: "layer1", attempts: 1 }, asked);
    });
  } finally {
    await server.shutdown();
  }
}

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}

Deno.test("pullWeights() converts once and then needs no network", async () => {
  const path = `/models/${KNOWN.file}`;
  await serving({ [path]: FILE }, async (options, asked) => {
    const first = await pullWeights(KNOWN, options);
    const { folder, mirror } = options;
    assertEquals(first.path, `${folder}/resnet18.onnx`);
    assertEquals(first.source, `${mirror}${KNOWN.file}`);
    assert(!first.cached);
    assertEquals(await names(folder), ["resnet18.onnx"]);
    const graph = await readOnnx(await Deno.readFile(first.path));
    assertEquals(graph.outputs, ["layer1"]);
    const { source: _, ...same } = first;
    assertEquals(
      await pullWeights(KNOWN, { ...options, mirror: "http://127.0.0.1:9" }),
      { ...same, cached: true },
    );
    assertEquals(asked, [path]);
    assertEquals(
      await pullWeights(KNOWN, { ...options, force: true, keep: true }),
      first,
    );
    assertEquals(await names(folder), [KNOWN.file, "resnet18.onnx"]);
    assertEquals(asked.length, 2);
  });
});

Deno.test("pullWeights() takes the official file that lies in the folder", async () => {
  await serving({}, async (options, asked) => {
    await Deno.mkdir(options.folder, { recursive: true });
    const file = `${options.folder}/${KNOWN.file}`;
    await Deno.writeFile(file, FILE);
    assertEquals((await pullWeights(KNOWN, options)).source, file);
    assertEquals(asked, []);
  });
});

Deno.test("pullWeights() refuses a file with a wrong SHA-256", async () => {
  const other = FILE.slice();
  other[other.length - 1]! ^= 1;
  await serving({ [`/models/${KNOWN.file}`]: other }, async (options) => {
    await assertRejects(
      () => pullWeights(KNOWN, options),
      DownloadError,
      `its SHA-256 is ${await sha256(other)}, expected ${KNOWN.sha256}…`,
    );
    assertEquals(await names(options.folder), []);
  });
});

Deno.test("pullWeights() refuses a file that is larger than the weights can be", async () => {
  const files = { [`/models/${KNOWN.file}`]: new Uint8Array(8e6) };
  await serving(files, async (options, asked) => {
    await assertRejects(
      () => pullWeights({ ...KNOWN, megaparameters: 1 }, options),
      DownloadError,
      "it has 8000000 bytes or more, expected at most 6200000",
    );
    assertEquals(asked.length, 1);
    assertEquals(await names(options.folder), []);
  });
});

Deno.test("pullWeights() lists every other way when it cannot download", async () => {
  await serving({}, async (options) => {
    const error = await assertRejects(
      () => pullWeights(KNOWN, options),
      DownloadError,
    );
    for (
      const part of [
        `${options.mirror}${KNOWN.file}: the server answered 404`,
        `download ${KNOWN.url} on another machine`,
        `put it into "${options.folder}" as "${KNOWN.file}"`,
        '"weights convert FILE"',
        KNOWN.timmUrl!,
        "PATCHCORE_MIRROR=URL",
        "--backbone FILE.onnx",
      ]
    ) assert(error.message.includes(part), part);
    assertEquals(error.lines.length, 7);
    assertEquals(error.message, error.lines.join("\n"));
    const fake = new FakeTerminal();
    await runProgram(["fails"], {
      terminal: fake.terminal,
      signal: new AbortController().signal,
      commands: [defineCommand({
        ...{ name: "fails", summary: "", options: {}, examples: [] },
        run: () => Promise.reject(error),
      })],
      debug: false,
    });
    assertEquals(fake.stderr, `error: ${error.message}\n`);
  });
});

Deno.test("pullWeights() refuses another network's weights", async () => {
  const known = { ...KNOWN, name: "resnet50" };
  await serving({ [`/models/${KNOWN.file}`]: FILE }, async (options) => {
    await assertRejects(
      () => pullWeights(known, options),
      CheckpointError,
      'Cannot convert the weights to "resnet50": tensor "layer1.0.conv1.weight" has shape [64,64,3,3], expected [64,64,1,1]',
    );
    assert(!(await names(options.folder)).includes("resnet50.onnx"));
  });
});

Deno.test("pullWeights() takes timm's copy without a SHA-256", async () => {
  await serving({ "/timm": FILE }, async (options) => {
    const timmUrl = new URL("/timm", options.mirror).href;
    const pulled = await pullWeights(
      { ...KNOWN, timmUrl },
      { ...options, timm: true },
    );
    assertEquals(pulled.source, timmUrl);
    assertEquals(await names(options.folder), ["resnet18.onnx"]);
  });
});

Deno.test("knownWeights() throws on a name it does not know", () => {
  const error = assertThrows(() => knownWeights("resnet8"), UsageError);
  assert(error.message.startsWith('Unknown network "resnet8", expected one'));
  assert(error.message.endsWith('did you mean "resnet18"?'));
});
