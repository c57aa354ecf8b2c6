import { assertEquals } from "@std/assert";
import type { Sample } from "../../src/core/datasets/dataset.ts";
import { encodeNpy } from "../../src/core/images/npy.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { checkMasks } from "../../src/cli/mask_check.ts";
import { withFiles } from "./with_files.ts";

async function grey(width: number, height: number): Promise<Uint8Array> {
  const grey = new Uint8Array(width * height);
  return await encodePng({ width, height, grey });
}

Deno.test("checkMasks() names the first mask that cannot be used and counts the others", async () => {
  await withFiles(["text.png"], async (root) => {
    const write = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(`${root}/${name}`, bytes);
      return `${root}/${name}`;
    };
    const image = await write("image.png", await grey(6, 4));
    const good = await write("good.png", await grey(6, 4));
    const turned = await write("turned.png", await grey(4, 6));
    const cut = await write("cut.png", (await grey(6, 4)).subarray(0, 60));
    const frames = await write(
      "frames.npy",
      encodeNpy(new Float32Array(2 * 6 * 4), [2, 4, 6]),
    );
    const check = async (...masks: Sample["mask"][]) => {
      const test = masks.map((mask) => ({
        path: image,
        label: "anomalous",
        ...mask && { mask },
      } as const));
      const category = { name: "part", train: [], test };
      const found = [{ root, layout: undefined, category }];
      const { signal } = new AbortController();
      const failed = await checkMasks(found, signal);
      return failed.get(found[0]!)?.message;
    };
    assertEquals(
      await check({ path: good }, { path: frames, frame: 1 }, undefined),
      undefined,
    );
    assertEquals(
      await check({ path: good }, { path: turned }, { path: cut }),
      `Cannot use mask "${turned}": it has 4 × 6 pixels, its image "${image}" has 6 × 4; 1 more of its masks cannot be used`,
    );
    for (
      const [mask, message] of [
        [{ path: cut }, "truncated"],
        [{ path: `${root}/text.png` }, "text.png"],
        [{ path: `${root}/none.png` }, "it does not exist"],
        [{ path: good, others: [turned] }, "turned.png"],
        [{ path: image.replace("image", "frames").replace("png", "npy") }, ""],
      ] as const
    ) {
      const found = await check(mask);
      assertEquals(found?.includes(message), true, `${message}: ${found}`);
    }
  });
});
