import type { Gpu } from "../../gpu/mod.ts";
import { MemoryBank } from "../bank/memory_bank.ts";
import { BankSearch } from "../search/search.ts";
import type { StoredThreshold } from "../model/stored_model.ts";
import { learnProxies } from "../baselines/proxies.ts";
import { calibrate } from "../threshold/calibrate.ts";
import { foldsByName } from "../threshold/folds.ts";
import { MendedBank } from "../bank/mended_bank.ts";
import { chooseBank } from "../bank/choose_rows.ts";
import type { PredictorParts } from "../detector/predict/batch_predictor.ts";
import type { WorkOptions } from "../features/progress.ts";
import { usesForeground } from "../features/foreground.ts";
import type { TrainingFeatures } from "../features/training_features.ts";
import { sharesTop } from "../score/distance_scale.ts";
import { ImageScores } from "../score/image_score.ts";
import { bankRows } from "../settings/resolve_settings.ts";
import type { Settings } from "../settings/settings.ts";
import { ApproximateSearch } from "./approximate_search.ts";
import { secondsSince } from "./runner.ts";

/** What stands in the place of PatchCore's own parts (paper, §4.4). */
export interface Variant {
  /**
   * Whether the bank is proxies of the patches, learned by gradient descent
   * (Eq. 8), instead of some of them. There is no threshold then: a proxy
   * comes from no image that could be left out.
   */
  readonly proxies?: boolean;
  /** Lists that an IVFPQ search scans; without it the search is exact. */
  readonly probes?: number;
}

/** A bank that was fitted, ready for predictions. */
export interface FittedBank extends Disposable {
  /** The bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it, exactly. */
  readonly exact: BankSearch;
  /** Finds them approximately, where the variant asks for it. */
  readonly approximate: ApproximateSearch | undefined;
  /** What predictions are made with. */
  readonly parts: PredictorParts;
  /** The threshold, where there is one. */
  readonly threshold: StoredThreshold | undefined;
  /** The threshold of anomaly maps, where there is one. */
  readonly mapThreshold: StoredThreshold | undefined;
  /** Seconds of each step. */
  readonly seconds: { readonly coreset: number; readonly threshold: number };
}

/** Fits a bank to features, in PatchCore's way or a variant's. */
export async function fitBank(
  gpu: Gpu,
  features: TrainingFeatures,
  settings: Settings,
  variant: Variant,
  options: WorkOptions & { readonly groupBy?: RegExp },
): Promise<FittedBank> {
  using owned = new DisposableStack();
  const { views, masks, extractor: { features: { height, width } } } = features;
  const tiles = features.tiles[0] * features.tiles[1];
  const folds = foldsByName(features.names, settings.seed, {
    ...options,
    views: views * tiles,
  });
  const masksGround = usesForeground(settings.foreground, masks, [
    height,
    width,
  ]);
  let start = performance.now();
  const chosen = variant.proxies
    ? undefined
    : await chooseBank(gpu, features, settings, folds.folds, options);
  const bank = owned.use(
    chosen?.bank ?? await proxyBank(gpu, features, settings, options),
  );
  const exact = owned.use(
    await BankSearch.create(gpu, bank.rows),
  );
  const approximate = variant.probes === undefined ? undefined : owned.use(
    await ApproximateSearch.create(gpu, bank.rows, {
      probes: variant.probes,
      seed: settings.seed,
    }),
  );
  const coreset = secondsSince(start);
  start = performance.now();
  using mended = chosen && await MendedBank.create(
    gpu,
    bank,
    (image) => folds.folds[image]!,
    chosen.mends,
  );
  const calibration = mended &&
    await calibrate(
      gpu,
      features,
      {
        ...{ mended, folds, near: chosen?.near, views, tiles },
        ...(masksGround && { masks }),
      },
      settings,
      options,
    );
  const kept = owned.move();
  return {
    bank,
    exact,
    approximate,
    parts: {
      extractor: features.extractor,
      search: approximate ?? exact,
      scores: new ImageScores(gpu, bank.rows, exact, settings),
      mapSettings: settings.map,
      readsPatches: sharesTop(settings),
      masksGround,
    },
    threshold: calibration?.threshold,
    mapThreshold: calibration?.mapThreshold,
    seconds: { coreset, threshold: secondsSince(start) },
    [Symbol.dispose]: () => kept.dispose(),
  };
}

async function proxyBank(
  gpu: Gpu,
  { rows: patches, extractor }: TrainingFeatures,
  { coreset, seed }: Settings,
  { onProgress }: WorkOptions,
): Promise<MemoryBank> {
  const count = bankRows(coreset, patches.rows);
  const { rows } = await learnProxies(gpu, patches, {
    count,
    seed,
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("coreset", done, total),
    }),
  });
  const { dim } = extractor.features;
  return new MemoryBank(rows, dim, new Int32Array(3 * count));
}
