/**
 * Image scores of real grids against a 10 % bank of 200 images: the kernels
 * `image_max`, `copy_rows` and `reweight`, and the search that Eq. 7 needs. The
 * time includes reading the scores back.
 */
import { BankSearch } from "../src/core/search/search.ts";
import { ImageScores } from "../src/core/score/image_score.ts";
import { PRESETS } from "../src/core/settings/presets.ts";
import { Gpu, RowChunks } from "../src/gpu/mod.ts";

const DIM = 1024;
const CASES = [
  { patches: 28 * 28, images: 1 },
  { patches: 28 * 28, images: 8 },
  { patches: 40 * 40, images: 1 },
] as const;

const gpu = await Gpu.create();

for (const { patches, images } of CASES) {
  const bank = RowChunks.allocate(gpu, patches * 20, DIM, "bank");
  for (const chunk of bank.chunks) gpu.write(chunk, noise(chunk.size));
  const search = await BankSearch.create(gpu, bank);
  const rows = patches * images;
  const queries = gpu.upload(noise(rows * DIM), [rows, DIM]);
  const found = {
    squaredDistances: gpu.upload(noise(rows), [rows, 1]),
    indices: gpu.upload(new Uint32Array(rows), [rows, 1]),
  };
  for (const preset of ["reference", "paper"] as const) {
    const scores = new ImageScores(gpu, bank, search, PRESETS[preset]);
    const program = gpu.program("image scores");
    const recorded = scores.record(program, {
      queries,
      found,
      images,
      patches,
    });
    await program.compile();
    Deno.bench({
      name: `${preset}, ${images} of ${patches} patches`,
      group: `bank of ${bank.rows} rows`,
      n: 20,
      warmup: 3,
      async fn() {
        program.run();
        await gpu.read(recorded.scores);
      },
    });
  }
}

function noise(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}
