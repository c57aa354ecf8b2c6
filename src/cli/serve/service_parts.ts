import type { Context } from "hono";
import type { ImagePool } from "./image_pool.ts";
import type { InspectionQueue } from "./inspection_queue.ts";
import type { ServiceLimits } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import type { ModelInfo } from "./model_info.ts";
import type { StaticFiles } from "./static_files.ts";

/** Whether the service can inspect images now. */
export type ServiceState = "ok" | "starting" | "stalled" | "stopping";

/** What is written down of an answered request: never what was in an image. */
export interface AccessEntry {
  /** When the request came, ISO 8601. */
  readonly time: string;
  /** HTTP method. */
  readonly method: string;
  /** Path of the URL, without its query. */
  readonly path: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Milliseconds until the answer. */
  readonly ms: number;
  /** Address of the client. */
  readonly client?: string;
  /** Model that was used. */
  readonly model?: string;
  /** Images of the request. */
  readonly images?: number;
  /** Images of them that could not be used. */
  readonly failed?: number;
  /** Why it was refused. */
  readonly error?: string;
}

/** What the service is made of. */
export interface ServiceParts {
  /** What clients may name with `?model=`. */
  readonly models: readonly ModelInfo[];
  /** What WebGPU calls the GPU. */
  readonly adapter: string;
  /** Holds and inspects images. */
  readonly queue: InspectionQueue;
  /** Encodes maps. */
  readonly pool: Pick<ImagePool, "encodeMap">;
  /** What it accepts. */
  readonly limits: ServiceLimits;
  /** Whether it can inspect images now. */
  readonly state: () => ServiceState;
  /** What it counts. */
  readonly metrics: Metrics;
  /** Asked for with everything but health, description and files. */
  readonly token: string | undefined;
  /** Whether only this machine's names are allowed in URLs. */
  readonly localOnly: boolean;
  /** Files that are sent as they are: the page. */
  readonly files: StaticFiles;
  /** Called with every answered request. */
  readonly onAnswer: (entry: AccessEntry) => void;
  /** Called with an error that is nobody's fault but the service's. */
  readonly onError: (error: Error) => void;
}

/** What a request carries along. */
export interface RequestEnv {
  /** From the server. */
  Bindings: {
    /** Address of the client. */
    client?: string;
  };
  /** Set on the way. */
  Variables: {
    /** Path as the metrics know it. */
    route: string;
    /** What more is written down. */
    note: Partial<AccessEntry>;
  };
}

/** Something that answers requests of one path. */
export type Handler = (
  context: Context<RequestEnv>,
) => Response | Promise<Response>;
