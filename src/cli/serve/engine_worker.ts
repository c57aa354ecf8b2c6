/**
 * The GPU's thread. Waiting for the GPU blocks a thread in Deno, which must not
 * be the one that answers requests.
 *
 * @module
 */
import { deviceStream } from "../streams.ts";
import { Terminal } from "../terminal.ts";
import { EngineHost } from "./engine_host.ts";
import type { EngineRequest } from "./engine_messages.ts";
import { onMessage, post } from "../worker_thread.ts";

const terminal = new Terminal({
  stdout: deviceStream(Deno.stdout),
  stderr: deviceStream(Deno.stderr),
  color: false,
  clock: () => performance.now(),
});
const { signal } = new AbortController();
const host = new EngineHost({ terminal, signal }, post);
onMessage<EngineRequest>((request) => void host.handle(request));
