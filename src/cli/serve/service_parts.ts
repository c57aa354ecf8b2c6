import type { Context } from "./hono.ts";
import type { ImagePool } from "./image_pool.ts";
import type { InspectionQueue } from "./inspection_queue.ts";
import type { ServiceLimits } from "./limits.ts";
import type { DriftMonitor } from "../drift_monitor.ts";
import type { Metrics } from "./metrics.ts";
import type { ModelSource } from "./model_source.ts";
import { HttpProblem } from "./problem.ts";
import type { StaticFiles } from "./static_files.ts";
import type { Uploads } from "./uploads.ts";

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
  /** What was found of each image, in their order. */
  readonly results?: readonly Verdict[];
  /** Why it was refused. */
  readonly error?: string;
}

/** What is written down of an image: its score, or why there is none. */
export type Verdict =
  | { readonly pred_score: number; readonly pred_label: string | null }
  | { readonly error: string };

/** What is known once the service has started. */
export interface LoadedModels {
  /** What clients may name with `?model=`. */
  readonly models: ModelSource;
  /** What WebGPU calls the GPU. */
  readonly adapter: string;
}

/** What the service is made of. */
export interface ServiceParts {
  /** What was loaded; undefined as long as the service starts. */
  readonly loaded: () => LoadedModels | undefined;
  /** Reads bodies. */
  readonly uploads: Uploads;
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
  /** Compares scores with those of training. */
  readonly drift: Pick<DriftMonitor, "add">;
  /** Asked for with everything but health, description and files. */
  readonly token: string | undefined;
  /** Whether only this machine's names are allowed in URLs. */
  readonly localOnly: boolean;
  /** Origins whose pages may ask, `*` for all of them. */
  readonly origins: readonly string[];
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

/**
 * What was loaded.
 *
 * @throws {HttpProblem} 503 as long as the service starts.
 */
export function loadedModels({ loaded }: ServiceParts): LoadedModels {
  const models = loaded();
  if (models !== undefined) return models;
  throw new HttpProblem(
    503,
    "The service is starting: it loads its models; send it again in a moment",
    { headers: { "retry-after": "2" } },
  );
}
