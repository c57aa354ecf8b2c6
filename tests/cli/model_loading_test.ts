import { assertEquals, assertStringIncludes } from "@std/assert";
import { info } from "../../src/cli/info.ts";
import { predict } from "../../src/cli/predict.ts";
import { serve } from "../../src/cli/serve.ts";
import { runCommand } from "./run_command.ts";
import { withFiles } from "./with_files.ts";

Deno.test("info, predict and serve name a file that is no model", async () => {
  await withFiles(["notes.txt", "a.png"], async (root) => {
    const file = `${root}/notes.txt`;
    const runs = [
      await runCommand(info, file),
      await runCommand(predict, `${root}/a.png`, "--model", file),
      await runCommand(serve, "--model", file, "--port", "0"),
    ];
    for (const { code, stdout, stderr } of runs) {
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, `error: Cannot read model "${file}": `);
    }
  });
});

Deno.test("predict and serve say where a network belongs that is given as a model", async () => {
  await withFiles(["net.onnx", "a.png"], async (root) => {
    const network = ["--model", `${root}/net.onnx`];
    for (
      const { code, stderr } of [
        await runCommand(predict, `${root}/a.png`, ...network),
        await runCommand(serve, ...network, "--port", "0"),
      ]
    ) {
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        `error: Cannot read model "${network[1]}": `,
      );
      assertStringIncludes(
        stderr,
        "this is the name of a network, which goes to --backbone",
      );
    }
  });
});
