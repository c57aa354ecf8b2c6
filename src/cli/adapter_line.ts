import type { Gpu } from "../core/weights.ts";
import type { Terminal } from "./terminal.ts";

/** Tells when a CPU does the work of a GPU, which nobody may have meant. */
export function tellCpuAdapter(
  { isCpu, adapterName }: Pick<Gpu, "isCpu" | "adapterName">,
  terminal: Pick<Terminal, "message">,
): void {
  if (!isCpu) return;
  terminal.message(
    `The adapter "${adapterName}" is a CPU, where a large backbone takes seconds an image; a GPU is found once its driver for Vulkan, Metal or Direct3D 12 is installed`,
  );
}
