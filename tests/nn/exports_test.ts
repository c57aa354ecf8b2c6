import { assert } from "@std/assert";
import { gpuTest, pathOf } from "../testing.ts";
import { compareStages } from "./exported_stages.ts";

const FOLDER = pathOf(new URL("../golden/exports", import.meta.url));

for (
  const name of [
    "efficientnet",
    "mobilenet_v2",
    "mobilenet_v3",
    "odds",
    "regnet_x",
    "regnet_y",
    "squeezenet",
    "vgg_bn",
  ]
) {
  gpuTest(
    `Network agrees with PyTorch on its export of ${name}`,
    async (gpu) => {
      for (const stage of await compareStages(gpu, FOLDER, name)) {
        const { level, module, error } = stage;
        assert(error <= 1e-5, `${level}, ${module}: relative error ${error}`);
      }
    },
  );
}
