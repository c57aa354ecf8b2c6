/**
 * The GPU's thread with a device that is lost when an image is called "lose",
 * and a thread that breaks when it is called "break".
 *
 * @module
 */
import { EngineHost } from "../../../src/cli/serve/engine_host.ts";
import type { EngineRequest } from "../../../src/cli/serve/engine_messages.ts";
import { onMessage, post } from "../../../src/cli/worker_thread.ts";
import { FakeTerminal } from "../fake_terminal.ts";

const { terminal } = new FakeTerminal();
const { signal } = new AbortController();
const host = new EngineHost({ terminal, signal }, post);
onMessage<EngineRequest>((request) => {
  const name = request.kind === "score" ? request.images[0]?.name : undefined;
  if (name === "lose") host.set?.gpu.device.destroy();
  if (name === "break") throw new Error("the thread broke");
  void host.handle(request);
});
