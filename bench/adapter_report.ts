import type { AdapterResult } from "./adapter.ts";

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

/** The results as a page to read. */
export function markdown(result: AdapterResult): string {
  const { adapter, driver, date, version, deno, quick } = result;
  return [
    `# ${adapter}`,
    `${date.slice(0, 10)}, version ${version}, Deno ${deno}, ${
      driver ?? "driver not told by WebGPU"
    }${quick ? ", quick" : ""}. Made by \`sh bench/gpu.sh\`.`,
    `Kernel tests: ${result.kernel_tests}`,
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
