import type { AdapterResult, LatencyResult } from "./adapter.ts";

interface LayerTable {
  readonly model: string;
  readonly size: number;
  readonly batch: number;
  readonly peak: { readonly gflops: number };
  readonly layers: readonly {
    readonly layer: string;
    readonly shape: readonly number[];
    readonly gflop: number;
    readonly tiles: readonly {
      readonly tile: string;
      readonly ms: number;
      readonly gflops: number;
      readonly share: number;
    }[];
  }[];
}

/** Kernels below this share of an image's time are summed up. */
const SHOWN_SHARE = 0.01;

function profileTable({ model, profile }: LatencyResult): string {
  const total = profile.reduce((sum, { ms }) => sum + ms, 0);
  const shown = profile.filter(({ ms }) => ms >= total * SHOWN_SHARE);
  const rest = profile.length - shown.length;
  const others = total - shown.reduce((sum, { ms }) => sum + ms, 0);
  return `${model}, every kernel in a pass of its own:\n\n${
    rows(["kernel", "times", "ms", "share"], [
      ...shown.map(({ label, count, ms }) => [
        ...[label, `${count}`, ms.toFixed(3), percent(ms / total)],
      ]),
      ...rest > 0
        ? [[`${rest} more`, "", others.toFixed(3), percent(others / total)]]
        : [],
    ])
  }`;
}

/** The results as a page to read. */
export function markdown(result: AdapterResult): string {
  const { adapter, driver, date, version, deno, quick } = result;
  return [
    `# ${adapter}`,
    `${date.slice(0, 10)}, version ${version}, Deno ${deno}, ${
      driver ?? "driver not told by WebGPU"
    }${quick ? ", quick" : ""}. Made by \`sh bench/gpu.sh\`.`,
    `Tests: ${result.tests}; all in ${
      (result.seconds / 60).toFixed(1)
    } minutes${
      result.left_out.length > 0
        ? `, without ${result.left_out.join(", ")}: no time was left`
        : ""
    }.`,
    "## Trunk to layer3 at 224 × 224, kernels as measured to be best",
    rows(["network", "batch", "ms", "GFLOP/s", "of float32 peak"], [
      ...result.batches.map((b) => [
        ...[b.model, `${b.batch}`, b.ms.toFixed(2), b.gflops.toFixed(0)],
        percent(b.share_of_peak),
      ]),
    ]),
    "Operations are counted as direct convolutions have them; Winograd does fewer.",
    "## One image, from pixels to score and map",
    rows(["network", "bank rows", "ms", "trunk", "patches", "search", "map"], [
      ...result.latency.map((l) => [
        l.model,
        `${l.bank_rows}`,
        ...[l.total_ms, l.trunk_ms, l.patches_ms, l.search_ms, l.map_ms]
          .map((ms) => ms?.toFixed(2) ?? ""),
      ]),
    ]),
    "## Where one image's time goes",
    ...result.latency.filter(({ profile }) => profile.length > 0)
      .map(profileTable),
    "## Kernels that were measured to be best",
    rows(["network", "batch", "convolution", "kernels"], [
      ...result.batches.flatMap(({ model, batch, choices }) =>
        Object.entries(choices).map(([key, choice]) => [
          ...[model, `${batch}`, key, choice],
        ])
      ),
    ]),
    "## Coreset",
    rows(
      ["rows", "picks", "plain ms", "lazy ms", "plain GB/s", "of a copy's"],
      result.coreset.map((c) => [
        ...[`${c.rows}`, `${c.picks}`],
        ...[c.plain_ms, c.lazy_ms, c.gigabytes].map((v) => v.toFixed(1)),
        percent(c.share_of_copy),
      ]),
    ),
    "## PyTorch on the same machine",
    typeof result.pytorch === "string" ? result.pytorch : rows(
      ["what", "version", "device", "network", "batch", "ms"],
      result.pytorch.map((p) =>
        ["name", "torch", "device", "model", "batch"].map((key) => `${p[key]}`)
          .concat(`${p["ms"] ?? p["error"]}`)
      ),
    ),
    ...(result.layers as readonly LayerTable[]).map(layerTable),
  ].join("\n\n") + "\n";
}

function layerTable({ model, size, batch, peak, layers }: LayerTable): string {
  const body = layers.flatMap(({ layer, shape, gflop, tiles }) =>
    tiles.map(({ tile, ms, gflops, share }) => [
      layer,
      shape.join("×"),
      tile,
      ms.toFixed(2),
      ...(gflop === 0 ? ["", ""] : [gflops.toFixed(1), percent(share)]),
    ])
  );
  return `## Layers of ${model}, ${batch} × ${size} × ${size}, by tile\n\nPeak ${
    peak.gflops.toFixed(1)
  } GFLOP/s.\n\n${
    rows(["layer", "output", "tile", "ms", "GFLOP/s", "of peak"], body)
  }`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function rows(
  head: readonly string[],
  body: readonly (readonly string[])[],
): string {
  return [head, head.map(() => "---"), ...body]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
