import { assertEquals, assertRejects } from "@std/assert";
import { sha256 } from "../../src/core/weights.ts";
import { FileError } from "../../src/cli/disk.ts";
import { DownloadError } from "../../src/cli/download.ts";
import { UsageError } from "../../src/cli/exit.ts";
import {
  backboneFile,
  localBackbone,
  storedBackbone,
} from "../../src/cli/load_backbone.ts";
import { inWeightsFolder } from "./run_weights.ts";
import { withFiles } from "./with_files.ts";

const NOWHERE = { mirror: "http://127.0.0.1:9", attempts: 1 };

Deno.test("backboneFile() takes a path as it is", async () => {
  await withFiles([], async (folder) => {
    for (const path of ["net.onnx", "NET.ONNX", "nets/a", "./a"]) {
      assertEquals(await backboneFile(path, { folder, ...NOWHERE }), path);
    }
  });
});

Deno.test("backboneFile() finds files in the weights folder by name", async () => {
  await withFiles(["mine.onnx", "resnet18.onnx"], async (folder) => {
    for (const name of ["mine", "resnet18"]) {
      assertEquals(
        await backboneFile(name, { folder, ...NOWHERE }),
        `${folder}/${name}.onnx`,
      );
    }
  });
});

Deno.test("backboneFile() pulls a published network that is not there", async () => {
  await withFiles([], async (folder) => {
    await assertRejects(
      () => backboneFile("resnet18", { folder, ...NOWHERE }),
      DownloadError,
      "Cannot download http://127.0.0.1:9/resnet18-f37072fd.pth",
    );
  });
});

Deno.test("backboneFile() throws on what is no backbone", async () => {
  await withFiles([], async (folder) => {
    await assertRejects(
      () => backboneFile("resnet8", { folder, ...NOWHERE }),
      UsageError,
      'did you mean "resnet18"?',
    );
    await assertRejects(
      () => backboneFile("w.pth", { folder, ...NOWHERE }),
      UsageError,
      'run "weights convert w.pth"',
    );
  });
});

/** What a model says of a backbone whose file holds this text. */
async function storedOf(text: string, source?: string) {
  const digest = await sha256(new TextEncoder().encode(text));
  const name = "mine";
  return { name, sha256: digest, ...(source !== undefined && { source }) };
}

Deno.test.each([
  ["a name in the weights folder", "mine", "w/mine.onnx"],
  ["a path of which only the name counts", "/gone/mine.onnx", "w/mine.onnx"],
  ["a path of Windows", "C:\\nets\\mine.onnx", "w/mine.onnx"],
  ["a file beside the model", "nets/beside.onnx", "models/beside.onnx"],
  ["its name, where it has no source", undefined, "w/mine.onnx"],
])("storedBackbone() finds %s", async (_what, source, expected) => {
  const files = ["w/mine.onnx", "models/beside.onnx"];
  await inWeightsFolder(files, async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", `${root}/w`);
    const { bytes } = await storedBackbone(
      await storedOf(expected, source),
      `${root}/models/part.safetensors`,
    );
    assertEquals(new TextDecoder().decode(bytes), expected);
  });
});

Deno.test("storedBackbone() takes a path within the weights folder", async () => {
  await inWeightsFolder(["w/deep/x.onnx"], async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", `${root}/w`);
    const source = `${root}/w/deep/x.onnx`;
    const stored = await storedOf("w/deep/x.onnx", source);
    const { name, source: found } = await storedBackbone(stored, "m");
    assertEquals([name, found], ["x", source]);
  });
});

Deno.test("storedBackbone() prefers the file with the model's SHA-256", async () => {
  await inWeightsFolder(["w/a.onnx", "models/a.onnx"], async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", `${root}/w`);
    const model = `${root}/models/part.safetensors`;
    for (const file of ["w/a.onnx", "models/a.onnx"]) {
      const { bytes } = await storedBackbone(await storedOf(file, "a"), model);
      assertEquals(new TextDecoder().decode(bytes), file);
    }
  });
});

Deno.test("storedBackbone() opens no file elsewhere and none that is no file", async () => {
  await inWeightsFolder(["elsewhere/a.onnx", "models/x"], async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", `${root}/w`);
    const model = `${root}/models/part.safetensors`;
    await new Deno.Command("mkfifo", { args: [`${root}/models/p.onnx`] })
      .output();
    await Deno.mkdir(`${root}/models/d.onnx`);
    for (
      const source of [
        `${root}/elsewhere/a.onnx`,
        `${root}/w/../elsewhere/a.onnx`,
        "p.onnx",
        "d.onnx",
        "/dev/zero",
        "..",
      ]
    ) {
      await assertRejects(
        async () => storedBackbone(await storedOf("", source), model),
        FileError,
        `Cannot find backbone "mine" of model "${model}": there is no "`,
      );
    }
    await assertRejects(
      async () => storedBackbone(await storedOf("", "resnet18"), model),
      FileError,
      'or run "weights pull resnet18"',
    );
  });
});

Deno.test("localBackbone() downloads nothing and reads no pipe", async () => {
  let asked = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => {
      asked++;
      return new Response("weights");
    },
  );
  try {
    await inWeightsFolder([], async (root) => {
      Deno.env.set("PATCHCORE_MIRROR", `http://127.0.0.1:${server.addr.port}`);
      await assertRejects(
        () => localBackbone("resnet18"),
        UsageError,
        `it is not in "${root}", and is downloaded only for a fit; run "weights pull resnet18" first`,
      );
      const pipe = `${root}/p.onnx`;
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      await assertRejects(
        () => localBackbone(pipe),
        FileError,
        "it is no regular file",
      );
    });
  } finally {
    Deno.env.delete("PATCHCORE_MIRROR");
    await server.shutdown();
  }
  assertEquals(asked, 0);
});
