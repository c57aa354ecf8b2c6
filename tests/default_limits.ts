/**
 * To be preloaded (`deno task test:limits`): makes every adapter one that
 * offers nothing beyond what WebGPU guarantees, so that a test that passes does
 * so on any device. Workers, and programs that tests start with Deno, get the
 * same.
 *
 * @module
 */
import { humbleAdapter } from "./humble_adapter.ts";

const { gpu } = navigator;
const request = gpu.requestAdapter.bind(gpu);
Object.defineProperty(gpu, "requestAdapter", {
  value: async (options?: GPURequestAdapterOptions) => {
    const adapter = await request(options);
    return adapter && humbleAdapter(adapter);
  },
});

globalThis.Worker = class extends Worker {
  constructor(specifier: string | URL, options?: WorkerOptions) {
    const imports = [import.meta.url, String(specifier)]
      .map((url) => `import ${JSON.stringify(url)};`);
    super(`data:text/javascript,${encodeURIComponent(imports.join(""))}`, {
      ...options,
    });
  }
};

Deno.Command = class extends Deno.Command {
  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    const { args = [], ...others } = options;
    const isProgram = command === Deno.execPath() && args[0] === "run";
    const preload = ["--preload", new URL(import.meta.url).pathname];
    super(command, {
      ...others,
      args: isProgram ? ["run", ...preload, ...args.slice(1)] : args,
    });
  }
};
