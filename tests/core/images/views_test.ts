import { assertEquals } from "@std/assert";
import { viewCount, viewsOf } from "../../../src/core/images/views.ts";

const NONE = { rotations: 1, flips: false, brightness: 0 };

/** 5 × 4 pixels, the red one in the second column of the first row. */
function marked(): {
  width: number;
  height: number;
  data: Uint8ClampedArray;
} {
  const data = new Uint8ClampedArray(5 * 4 * 4).fill(100);
  data[4] = 250;
  return { width: 5, height: 4, data };
}

function placeOf(data: ArrayLike<number>): [number, number] {
  let best = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i]! > data[best]!) best = i;
  }
  return [best / 4 % 5, Math.floor(best / 4 / 5)];
}

Deno.test("viewsOf() has the image itself alone when nothing else is asked for", () => {
  const [view, ...others] = viewsOf(NONE);
  assertEquals(others, []);
  assertEquals(view!.name, "");
  const image = marked();
  assertEquals(view!.apply(image), image);
});

Deno.test("viewCount() counts rotations, flips and levels", () => {
  assertEquals(viewCount({ ...NONE, rotations: 8 }), 8);
  assertEquals(viewCount({ ...NONE, flips: true }), 3);
  assertEquals(viewCount({ ...NONE, brightness: 0.2 }), 3);
  assertEquals(
    viewCount({ rotations: 4, flips: true, brightness: 0.1 }),
    8,
  );
});

Deno.test("viewsOf() mirrors, and tells where a place was", () => {
  const [, across, down] = viewsOf({ ...NONE, flips: true });
  for (const view of [across!, down!]) {
    const { data } = view.apply(marked());
    const [x, y] = placeOf(data);
    assertEquals(view.placeInImage(x + 0.5, y + 0.5, [5, 4]), [1.5, 0.5]);
  }
  assertEquals(placeOf(across!.apply(marked()).data), [3, 0]);
  assertEquals(placeOf(down!.apply(marked()).data), [1, 3]);
});

Deno.test("viewsOf() tells where a place of a turned view was", () => {
  const views = viewsOf({ ...NONE, rotations: 4 });
  for (const view of views.slice(1)) {
    // A square turns onto itself but for the half pixel of its centre.
    const size = 8;
    const data = new Uint8ClampedArray(size * size * 4).fill(10);
    data[(3 * size + 2) * 4] = 250;
    const turned = view.apply({ width: size, height: size, data });
    let best = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (turned.data[i]! > turned.data[best]!) best = i;
    }
    const [x, y] = [best / 4 % size, Math.floor(best / 4 / size)];
    const place = view.placeInImage(x + 0.5, y + 0.5, [size, size]);
    assertEquals(place.map((v) => Math.round(v * 1e6) / 1e6), [2.5, 3.5]);
  }
});

Deno.test("viewsOf() darkens and lightens colours and leaves alpha", () => {
  const [, dark, light] = viewsOf({ ...NONE, brightness: 0.5 });
  const image = {
    width: 1,
    height: 1,
    data: Uint8ClampedArray.of(40, 200, 0, 255),
  };
  assertEquals([...dark!.apply(image).data], [20, 100, 0, 255]);
  assertEquals([...light!.apply(image).data], [60, 255, 0, 255]);
});
