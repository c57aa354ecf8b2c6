/**
 * A thread for images that hangs on one name and breaks on another.
 *
 * @module
 */
import type { ImageTask } from "../../../src/cli/serve/image_tasks.ts";
import { onMessage } from "../../../src/cli/worker_thread.ts";

onMessage<ImageTask>((task) => {
  if (task.kind !== "decode") return;
  if (task.image.name === "hang") { for (;;); }
  if (task.image.name === "break") {
    queueMicrotask(() => {
      throw new Error("broke");
    });
  }
});
await import("../../../src/cli/serve/image_worker.ts");
