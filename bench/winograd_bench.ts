/**
 * The transforms of Winograd (`winograd_input`, `winograd_output`) alone, over
 * the 3 × 3 layers of real networks; `conv2d_bench.ts` has the whole of it.
 */
import {
  winogradInput,
  winogradOutput,
  winogradTiles,
} from "../src/wgsl/winograd.ts";
import { suitsWinograd } from "./conv_work.ts";
import { kernelBench } from "./harness.ts";
import { layerOptions } from "./layer_options.ts";
import { convLayers, describeLayer } from "./shapes.ts";

const { models, size, batch } = layerOptions(Deno.args);

for (const model of models) {
  for (const layer of convLayers(model, size, batch).filter(suitsWinograd)) {
    const { images, channels, outputs, input, output, pads } = layer;
    const [tilesY, tilesX] = winogradTiles(output);
    const tiles = images * tilesY * tilesX;
    const group = `${model} ${describeLayer(layer)}`;
    const pixels = images * output[0] * output[1];
    kernelBench(
      { group },
      winogradInput,
      { images, channels4: channels / 4, input, output, pads },
      { x: images * input[0] * input[1] * channels },
      36 * tiles * channels,
    );
    kernelBench(
      { group },
      winogradOutput,
      { images, channels4: outputs / 4, output, residual: true },
      { x: 36 * tiles * outputs, bias: outputs, residual: pixels * outputs },
      pixels * outputs,
    );
  }
}
