import { assertEquals } from "@std/assert";
import { nearestRows } from "../../../src/core/search/nearest_rows.ts";
import { BankSearch } from "../../../src/core/search/search.ts";
import { squaredDistance } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

const GRID = { height: 2, width: 5 };
const PATCHES = GRID.height * GRID.width;
const DIM = 8;
const IMAGES = 60;

const DATA = randomFloats(3, IMAGES * PATCHES * DIM);

gpuTest(
  "nearestRows() finds the nearest row, of other images if asked",
  async (gpu) => {
    const bankData = randomFloats(4, 50 * DIM);
    const bankImages = Uint32Array.from({ length: 50 }, (_, i) => i % 5);
    const rowImages = Uint32Array.from({ length: 600 }, (_, i) => i % 5);
    using rows = uploadRows(narrow(gpu, 250 * DIM * 4), DATA, DIM);
    using bank = uploadRows(gpu, bankData, DIM);
    using search = await BankSearch.create(gpu, bank, { images: bankImages });
    for (const images of [undefined, rowImages]) {
      const seen: number[] = [];
      const found = await nearestRows(gpu, rows, search, {
        ...(images && { images }),
        onProgress: (done, total) => {
          assertEquals(total, 600);
          seen.push(done);
        },
      });
      assertEquals(seen.at(-1), 600);
      for (let row = 0; row < 600; row++) {
        let best = -1;
        let least = Infinity;
        for (let other = 0; other < 50; other++) {
          if (images && images[row] === bankImages[other]) continue;
          const d = squaredDistance(DATA, row, bankData, other, DIM);
          if (d < least) [least, best] = [d, other];
        }
        assertEquals(found.rows[row], best, `row ${row}`);
        assertAllClose([found.squared[row]!], [least]);
      }
    }
  },
);
