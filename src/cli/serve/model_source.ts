import type { ModelInfo } from "./model_info.ts";

/** A model in the list of `GET /models`. */
export type ListedModel =
  | ModelInfo & { readonly loaded: true }
  | { readonly name: string; readonly loaded: false };

/** A model that a request holds until it is disposed. */
export interface TakenModel extends Disposable {
  /** What is known of it. */
  readonly info: ModelInfo;
  /** What the queue and the GPU's thread call it. */
  readonly key: string;
}

/** Where requests get their models from. */
export interface ModelSource {
  /** What clients may name with `?model=`, as far as it is known. */
  readonly names: readonly string[];
  /** All models, looked up anew. */
  list(): Promise<readonly ListedModel[]>;
  /** Whether there is a model of that name. */
  has(name: string): Promise<boolean>;
  /**
   * Holds a model for a request, until it is disposed; it may have to be loaded.
   *
   * @param signal Aborted with the error to fail with.
   * @throws {HttpProblem} 404 if it is gone, 503 if it cannot be loaded.
   */
  take(name: string, signal: AbortSignal): Promise<TakenModel>;
  /** What is known of a model that a request holds. */
  info(key: string): ModelInfo;
}

/** Models that were all loaded at the start. */
export function fixedModels(models: readonly ModelInfo[]): ModelSource {
  const byName = new Map(models.map((model) => [model.name, model]));
  const info = (name: string): ModelInfo => byName.get(name)!;
  return {
    names: [...byName.keys()],
    list: () =>
      Promise.resolve(models.map((model) => ({ ...model, loaded: true }))),
    has: (name) => Promise.resolve(byName.has(name)),
    take: (name) =>
      Promise.resolve({
        info: info(name),
        key: name,
        [Symbol.dispose](): void {},
      }),
    info,
  };
}
