/**
 * Every kernel for convolutions (`conv2d_direct`, `conv2d_shared`,
 * `conv2d_subgroup8`, `conv2d_subgroup8_tall`) over the layers of real networks;
 * `winograd` is there for comparison, `conv2d_grouped` as the plainest one.
 *
 * `deno bench -A bench/conv2d_bench.ts -- --model resnet18 --size 320 --batch 8`
 */
import { conv2dGrouped } from "../src/wgsl/conv2d_grouped.ts";
import { CONV_KERNELS, direct, suitsWinograd, winograd } from "./conv_work.ts";
import { gpuBench } from "./harness.ts";
import { layerOptions } from "./layer_options.ts";
import { convLayers, describeLayer } from "./shapes.ts";

const { models, size, batch } = layerOptions(Deno.args);

for (const model of models) {
  for (const layer of convLayers(model, size, batch)) {
    const gflop = (layer.flops / 1e9).toFixed(2);
    const group = `${model} ${describeLayer(layer)}, ${gflop} GFLOP`;
    gpuBench(
      { name: "conv2d_grouped", group, baseline: true, n: 3 },
      (scope) => direct(scope, layer, conv2dGrouped),
    );
    for (const kernel of CONV_KERNELS) {
      gpuBench(
        { name: kernel.name, group },
        (scope) => direct(scope, layer, kernel),
      );
    }
    gpuBench(
      { name: "winograd", group, ignore: !suitsWinograd(layer) },
      (scope) => winograd(scope, layer),
    );
  }
}
