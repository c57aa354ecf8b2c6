import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/cli/exit.ts";
import { thresholdsOf } from "../../../src/cli/serve/model_thresholds.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import type { Pixels } from "../../../src/core/mod.ts";
import { tinyDetector, tinyImages } from "../../tiny_model.ts";
import { startService } from "./service_process.ts";

Deno.test("thresholdsOf() gives models the thresholds that name them", () => {
  assertEquals(
    [...thresholdsOf(["b=2.5", "a=-1..3"], ["a", "b"])],
    [["b", { score: 2.5 }], ["a", { score: 3, uncertainFrom: -1 }]],
  );
  assertEquals([...thresholdsOf(["2"], ["a"])], [["a", { score: 2 }]]);
  assertEquals(thresholdsOf(undefined, ["a"]).size, 0);
});

Deno.test("thresholdsOf() refuses what names no model or one twice", () => {
  for (
    const [given, names, why] of [
      [["2"], ["a", "b"], "NAME=2"],
      [["c=2"], ["a", "b"], "no model"],
      [["a=2", "a=3"], ["a", "b"], "one already"],
      [["a=x"], ["a"], "LOW..HIGH"],
    ] as const
  ) assertThrows(() => thresholdsOf(given, names), UsageError, why);
});

Deno.test("serve judges by --threshold, and answers without one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, train] of [["none", 1], ["some", 3]] as const) {
      using detector = await tinyDetector(undefined, train);
      const bytes = detector.save({ bundle: true });
      await Deno.writeFile(`${folder}/${name}.safetensors`, bytes);
    }
    const image = await encodePng(tinyImages(1).test[0]!.content as Pixels);
    const service = await startService(
      ...["--model", `${folder}/none.safetensors`],
      ...["--model", `${folder}/some.safetensors`],
      ...["--threshold", "some=0.001..1e6"],
    );
    const post = (query: string, headers = {}) =>
      fetch(`${service.url}/predict?${query}`, {
        method: "POST",
        body: image,
        headers: { "content-type": "image/png", ...headers },
      });
    try {
      const some = await (await post("model=some")).json();
      assertEquals(some.pred_label, "uncertain");
      assertEquals([some.uncertain_from, some.threshold], [0.001, 1e6]);
      for (const map of ["png", "overlay"]) {
        const answer = await post(`model=none&map=${map}`);
        assertEquals(answer.status, 200);
        const none = await answer.json();
        assertEquals(
          [none.pred_label, none.pred_score_normalized, none.threshold],
          [null, null, null],
        );
        assertEquals(none.map.scale.of, "image");
        assertEquals(none.map.png.length > 100, true);
      }
      const { headers, body } = await post("model=none", {
        accept: "image/png",
      });
      await body?.cancel();
      assertEquals(headers.get("x-pred-label"), null);
      assertEquals(headers.get("x-threshold"), null);
      const { models } = await (await fetch(`${service.url}/models`)).json();
      assertEquals(
        models.map((model: { uncertain_from: number }) => model.uncertain_from),
        [null, 0.001],
      );
    } finally {
      const { stderr } = await service.stop("SIGTERM");
      assertEquals(stderr.split("has no threshold").length, 2, stderr);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
