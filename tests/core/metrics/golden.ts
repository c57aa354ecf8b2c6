/** Scores, maps and masks with the values scikit-learn and a dense AUPRO give. */
export interface GoldenCase {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly maps: readonly Float32Array[];
  readonly masks: readonly Uint8Array[];
  readonly scores: Float32Array;
  readonly labels: Uint8Array;
  readonly expected: Readonly<Record<string, number>>;
}

interface Entry {
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

const FOLDER = new URL("../../golden/metrics/", import.meta.url);

/** Reads both cases of tests/golden/metrics. */
export function goldenCases(): GoldenCase[] {
  const file = Deno.readFileSync(new URL("metrics.safetensors", FOLDER));
  const expected: Record<string, Record<string, number>> = JSON.parse(
    Deno.readTextFileSync(new URL("metrics.json", FOLDER)),
  );
  const size = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header: Record<string, Entry> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + size)),
  );
  const bytes = (name: string): Uint8Array<ArrayBuffer> => {
    const [start, end] = header[name]!.data_offsets;
    return file.slice(8 + size + start, 8 + size + end);
  };
  return Object.keys(expected).map((name) => {
    const [images = 0, height = 0, width = 0] = header[`${name}.maps`]!.shape;
    const maps = new Float32Array(bytes(`${name}.maps`).buffer);
    const masks = bytes(`${name}.masks`);
    const pixels = width * height;
    const range = Array.from({ length: images }, (_, i) => i * pixels);
    return {
      name,
      width,
      height,
      maps: range.map((start) => maps.subarray(start, start + pixels)),
      masks: range.map((start) => masks.subarray(start, start + pixels)),
      scores: new Float32Array(bytes(`${name}.scores`).buffer),
      labels: bytes(`${name}.labels`),
      expected: expected[name]!,
    };
  });
}
