import { assert, assertEquals } from "@std/assert";
import { info } from "../../src/cli/info.ts";
import { smoothTransformer } from "../smooth_transformer.ts";
import { programTest, runCommand } from "./run_command.ts";

programTest(
  "info plans a transformer's memory by its preset: it grows with tokens, not with their square",
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".onnx" });
    try {
      await Deno.writeFile(file, smoothTransformer());
      const activations = async (side: number): Promise<number> => {
        const { stdout, stderr, code } = await runCommand(
          info,
          file,
          ...["--size", `${side}`, "--images", "2", "--json"],
        );
        assertEquals(code, 0, stderr);
        const { planned_fit_bytes, planned_predict_parts } = JSON.parse(stdout);
        assert(planned_fit_bytes > 0);
        return planned_predict_parts.activations;
      };
      const [small, large] = [await activations(448), await activations(1008)];
      const tokens = (1 + 72 ** 2) / (1 + 32 ** 2);
      assert(large! <= 1.01 * tokens * small!, `${small} and ${large}`);
    } finally {
      await Deno.remove(file);
    }
  },
);
