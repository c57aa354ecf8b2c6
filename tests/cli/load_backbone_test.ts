import { assertEquals, assertRejects } from "@std/assert";
import { backboneFile } from "../../src/cli/load_backbone.ts";
import { DownloadError } from "../../src/cli/download.ts";
import { UsageError } from "../../src/cli/exit.ts";
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
