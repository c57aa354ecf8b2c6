/** One of the program's output streams. */
export interface Stream {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether a person sees it at once. */
  readonly isTerminal: boolean;
  /** Characters a line has. */
  columns(): number;
}

/** What of `Deno.stdout` and `Deno.stderr` a stream needs. */
interface Device {
  /** Writes some of the bytes, returns how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a person sees it at once. */
  isTerminal(): boolean;
}

/** One of this process's output streams. */
export function deviceStream(device: Device): Stream {
  const encoder = new TextEncoder();
  return {
    write(text): void {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) {
        at += written(device, bytes.subarray(at));
      }
    },
    isTerminal: device.isTerminal(),
    columns(): number {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80;
      }
    },
  };
}

function written(device: Device, bytes: Uint8Array): number {
  try {
    return device.writeSync(bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot write to the output: ${reason}`, { cause });
  }
}
