import { assertEquals } from "@std/assert";
import { nodeError, OnnxError } from "../../../src/nn/onnx/errors.ts";

Deno.test("OnnxError tells the beginning of a name that is long", () => {
  const long = "n ".repeat(5000);
  const error = new OnnxError("shape", `Cannot read "${long}" of "x y"`, {
    hint: "export it again",
  });
  const begin = long.slice(0, 200);
  assertEquals(
    error.message,
    `Cannot read "${begin}…" of "x y"; export it again`,
  );
  const op = "Relu".repeat(1000);
  assertEquals(
    nodeError({ name: "y", op }, "it is odd").message,
    `Cannot run ${op.slice(0, 200)}… "y": it is odd`,
  );
  assertEquals(
    nodeError({ name: "y", op: "Re lu\n".repeat(1000) }, "it is odd").message,
    `Cannot run "${"Re lu�".repeat(1000).slice(0, 200)}…" "y": it is odd`,
  );
  const names = new OnnxError("shape", "Cannot read " + "ab ".repeat(5000));
  assertEquals(names.message.length, 2000);
});
