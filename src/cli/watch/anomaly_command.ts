import { reason } from "../disk.ts";
import type { AuditRecord } from "./audit_log.ts";
import type { Channel } from "./outbox.ts";

/** What is run. */
interface AnomalyCommandOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** Seconds after which it is ended. */
  readonly seconds: number;
  /** Called when it fails. */
  readonly onTrouble: (sentence: string) => void;
}

/**
 * Runs a program for each image that is not normal, without a shell: the image's
 * path is its argument, and the environment has the rest. One that fails is told
 * of and not run again; one that cannot be started is tried again.
 */
export class AnomalyCommand implements Channel {
  readonly name = "command";
  readonly #options: AnomalyCommandOptions;

  /** Nothing is run yet. */
  constructor(options: AnomalyCommandOptions) {
    this.#options = options;
  }

  wants(verdict: AuditRecord["verdict"]): boolean {
    return verdict !== "ok";
  }

  async deliver(record: AuditRecord, signal: AbortSignal): Promise<void> {
    const { program, seconds, onTrouble } = this.#options;
    const child = start(program, record);
    let late = false;
    const end = (): void => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, seconds * 1000);
    signal.addEventListener("abort", end);
    const { success, code } = await child.status.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    });
    signal.throwIfAborted();
    if (success) return;
    onTrouble(
      `"${program}" ${
        late
          ? `took longer than ${seconds} s and was ended`
          : `ended with ${code}`
      } for image ${record.n}, "${record.image_path}"; it is not run again`,
    );
  }
}

function start(program: string, record: AuditRecord): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [record.image_path],
      env: {
        PATCHCORE_VERDICT: record.verdict,
        PATCHCORE_SCORE: String(record.pred_score ?? ""),
        PATCHCORE_THRESHOLD: String(record.threshold ?? ""),
        PATCHCORE_MODEL: record.model ?? "",
        PATCHCORE_ERROR: record.error ?? "",
        PATCHCORE_RECORD: JSON.stringify(record),
      },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    throw new Error(`"${program}" cannot be started: ${reason(cause)}`, {
      cause,
    });
  }
}
