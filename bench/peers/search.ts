/**
 * The search of real patch features beside FAISS on the CPU, in turns, and how
 * far a float16 bank and IVFPQ are from it:
 *
 *     deno run -A bench/peers/search.ts --category DIR --model FILE.onnx \
 *       --folder CACHE [--rows 1669,16699] [--rounds 3] [--threads 2] [--check] \
 *       [--ivfpq MOST-ROWS] [--python python3]
 *
 * The banks are greedy coresets of the training patches, or the first of these
 * where more rows are asked for than a tenth; queries are the patches of one
 * test image. `--check` compares the results with a float64 search.
 *
 * @module
 */
import { greedyCoreset } from "../../src/core/coreset/greedy_coreset.ts";
import { project } from "../../src/core/rows/projection.ts";
import { BankSearch } from "../../src/core/search/search.ts";
import { IvfPqIndex } from "../../src/core/baselines/ivfpq.ts";
import { gaussianProjection } from "../../src/core/settings/projection.ts";
import { Mt19937 } from "../../src/core/settings/random.ts";
import { Gpu, RowChunks, type Tensor } from "../../src/gpu/mod.ts";
import { median, option, PythonPeer } from "./python_peer.ts";
import { loadRows, realFeatures } from "./real_features.ts";

/** IVFPQ is left out of larger banks, whose index takes minutes to build. */
const MOST_IVFPQ = Number(option("ivfpq", "20000"));

interface System {
  readonly name: string;
  readonly times: number[];
  run(queries: Float32Array<ArrayBuffer>, file: string): Promise<number>;
  found?(): Promise<{ rows: number[]; squared: number[] }>;
}

const folder = option("folder", "");
const rounds = Number(option("rounds", "3"));
const gpu = await Gpu.create();
const features = await realFeatures(gpu, {
  category: option("category", ""),
  model: option("model", ""),
  folder,
});
const { dim, patches } = features;
const train = await readFloats(features.train);
const test = await readFloats(features.test);
const images = test.length / dim / patches;
await using faiss = new PythonPeer(
  "search_faiss.py",
  option("python", "python3"),
);

for (const rows of option("rows", "1669,16699").split(",").map(Number)) {
  await compare(rows);
}

async function compare(rows: number): Promise<void> {
  const data = await bankOf(rows);
  const file = `${folder}/bank.f32`;
  await Deno.writeFile(file, bytesOf(data));
  const threads = Number(option("threads", "2"));
  const { version } = await faiss.ask<{ version: string }>(
    { bank: file, dim, threads },
  );
  using scope = new DisposableStack();
  const ours = await exactSearch(scope, "ours", data, rows);
  const systems: System[] = [
    ours,
    await exactSearch(scope, "ours", data, rows, "full"),
    {
      name: `FAISS ${version} IndexFlatL2, ${threads} threads`,
      times: [],
      run: async (_, queries) =>
        (await faiss.ask<{ ms: number }>({ queries })).ms,
    },
  ];
  const halves = new Float32Array(new Float16Array(data));
  systems.push(await exactSearch(scope, "ours, float16 bank", halves, rows));
  if (rows <= MOST_IVFPQ) {
    systems.push(await ivfPq(scope, data, rows, 1));
    systems.push(await ivfPq(scope, data, rows, 8));
  }
  const quality = new Map<string, string>();
  for (let round = 0; round <= rounds; round++) {
    const first = round % images * patches * dim;
    const queries = test.slice(first, first + patches * dim);
    const queryFile = `${folder}/queries.f32`;
    await Deno.writeFile(queryFile, bytesOf(queries));
    for (const system of systems) {
      const ms = await system.run(queries, queryFile);
      if (round > 0) system.times.push(ms);
    }
    const exact = await ours.found!();
    for (const system of systems.slice(1)) {
      const found = await system.found?.();
      if (found) quality.set(system.name, compareFound(found, exact));
    }
    if (round === 0 && Deno.args.includes("--check")) {
      const reference = await faiss.ask<Reference>({
        queries: queryFile,
        check: true,
      });
      quality.set(ours.name, checkFound(exact, reference));
    }
  }
  console.log(`${patches} × ${rows} × ${dim}, ${gpu.adapterName}`);
  console.table(systems.map(({ name, times }) => ({
    name,
    median_ms: Number(median(times).toFixed(0)),
    min_ms: Number(Math.min(...times).toFixed(0)),
    times_ours: Number(
      median(times.map((ms, i) => ms / ours.times[i]!)).toFixed(2),
    ),
    result: quality.get(name) ?? "",
  })));
}

interface Reference {
  readonly rows: number[];
  readonly squared: number[];
  readonly second: number[];
}

type Found = Pick<Reference, "rows" | "squared">;

/** Where rows differ from float64's, their distances must not. */
function checkFound(found: Found, reference: Reference): string {
  let wrong = 0;
  let error = 0;
  found.rows.forEach((row, i) => {
    const expected = reference.squared[i]!;
    const tie = reference.second[i]! <= expected * (1 + 1e-6) + 1e-9;
    if (row !== reference.rows[i] && !tie) wrong++;
    error = Math.max(
      error,
      Math.abs(Math.sqrt(found.squared[i]!) / Math.sqrt(expected) - 1),
    );
  });
  return `float64: ${wrong} other rows, distances within ${
    error.toExponential(1)
  }`;
}

function compareFound(found: Found, exact: Found): string {
  const count = exact.rows.length;
  const equal = exact.rows.filter((row, i) => row === found.rows[i]).length;
  const error = Math.max(
    ...exact.squared.map((d, i) =>
      Math.abs(Math.sqrt(found.squared[i]!) / Math.sqrt(d) - 1)
    ),
  );
  const most = (squared: number[]) => Math.sqrt(Math.max(...squared));
  const score = Math.abs(most(found.squared) / most(exact.squared) - 1);
  return `recall@1 ${(equal / count).toFixed(3)}, distances within ${
    error.toExponential(1)
  }, image score ${score.toExponential(1)}`;
}

interface Recorded extends Disposable {
  readonly squaredDistances: Tensor;
  readonly indices: Tensor;
}

async function prepare(
  scope: DisposableStack,
  name: string,
  record: (
    program: ReturnType<Gpu["program"]>,
    queries: Tensor,
  ) => Recorded,
): Promise<System> {
  const shape = [patches, dim];
  const queries = scope.use(gpu.tensor(shape, "f32", "queries"));
  const program = scope.use(gpu.program(name));
  const { squaredDistances, indices } = scope.use(record(program, queries));
  await program.compile();
  return {
    name,
    times: [],
    async run(data) {
      gpu.write(queries, data);
      await gpu.finish();
      const start = performance.now();
      program.run();
      await gpu.readBuffer(squaredDistances.buffer, 4);
      return performance.now() - start;
    },
    async found() {
      const [squared, rows] = await gpu.readAll([squaredDistances, indices]);
      return { rows: [...rows!], squared: [...squared!] };
    },
  };
}

async function exactSearch(
  scope: DisposableStack,
  name: string,
  data: Float32Array,
  rows: number,
  bounds: "auto" | "full" = "auto",
): Promise<System> {
  const bank = scope.use(await upload(data, rows));
  const start = performance.now();
  const search = scope.use(await BankSearch.create(gpu, bank, { bounds }));
  await gpu.finish();
  const made = Math.round(performance.now() - start);
  const options = { rows: patches };
  return await prepare(
    scope,
    `${name}, ${search.bounds} bounds, made in ${made} ms`,
    (program, queries) => search.record(program, queries, options),
  );
}

async function ivfPq(
  scope: DisposableStack,
  data: Float32Array,
  rows: number,
  probes: number,
): Promise<System> {
  const bank = scope.use(await upload(data, rows));
  const index = scope.use(await IvfPqIndex.build(gpu, bank));
  const options = { rows: patches, probes };
  return await prepare(
    scope,
    `ours, IVFPQ, ${probes} of ${index.plan.lists} lists`,
    (program, queries) => index.record(program, queries, options),
  );
}

async function upload(data: Float32Array, rows: number): Promise<RowChunks> {
  const bank = RowChunks.allocate(gpu, rows, dim, "bank");
  let at = 0;
  for (const chunk of bank.chunks) {
    gpu.write(chunk, data.slice(at, at + chunk.size));
    await gpu.finish();
    at += chunk.size;
  }
  return bank;
}

/** The first picks of the coreset; all patches where it has not so many. */
async function bankOf(rows: number): Promise<Float32Array<ArrayBuffer>> {
  const picks = await coreset();
  if (rows > picks.length) return train.slice(0, rows * dim);
  const bank = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    const from = picks[i]! * dim;
    bank.set(train.subarray(from, from + dim), i * dim);
  }
  return bank;
}

async function coreset(): Promise<Uint32Array> {
  const file = `${folder}/picks.u32`;
  try {
    return new Uint32Array((await Deno.readFile(file)).buffer);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  using rows = await loadRows(gpu, features.train, dim);
  const matrix = gaussianProjection(new Mt19937(0), dim, 128);
  using projected = await project(gpu, rows, {
    outputs: 128,
    inputs: dim,
    matrix,
  });
  const { indices } = await greedyCoreset(gpu, projected, {
    picks: Math.floor(rows.rows / 10),
    start: { kind: "included", point: 0 },
  });
  await Deno.writeFile(file, bytesOf(indices));
  return indices;
}

async function readFloats(file: string): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array((await Deno.readFile(file)).buffer);
}

function bytesOf(
  data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
