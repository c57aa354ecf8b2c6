import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { layerOptions } from "../../bench/layer_options.ts";
import {
  type ConvLayer,
  convLayers,
  describeLayer,
} from "../../bench/shapes.ts";

function total(layers: readonly ConvLayer[]): number[] {
  const count = layers.reduce((sum, layer) => sum + layer.count, 0);
  const flops = layers.reduce(
    (sum, { count, flops }) => sum + count * flops,
    0,
  );
  return [count, Number((flops / 1e9).toFixed(2))];
}

Deno.test("convLayers() counts what is known of WideResNet50-2 to layer3", () => {
  assertEquals(total(convLayers("wide_resnet50_2", 224, 1)), [43, 18.37]);
});

Deno.test("convLayers() lists each shape of ResNet-18 once", () => {
  const layers = convLayers("resnet18", 224, 1);
  assertEquals(layers.map((layer) => [layer.count, describeLayer(layer)]), [
    [1, "7×7/2 3→64 at 112"],
    [4, "3×3 64→64 at 56"],
    [1, "3×3/2 64→128 at 28"],
    [3, "3×3 128→128 at 28"],
    [1, "1×1/2 64→128 at 28"],
    [1, "3×3/2 128→256 at 14"],
    [3, "3×3 256→256 at 14"],
    [1, "1×1/2 128→256 at 14"],
  ]);
});

Deno.test("convLayers() scales with images and their size", () => {
  const [, one = 0] = total(convLayers("resnet18", 224, 1));
  const [, eight = 0] = total(convLayers("resnet18", 224, 8));
  assertAlmostEquals(eight, 8 * one, 0.05);
  const [stem] = convLayers("resnet18", 320, 8);
  assertEquals(stem!.output, [160, 160]);
  assertEquals(stem!.images, 8);
});

Deno.test("layerOptions() reads options and refuses others", () => {
  assertEquals(layerOptions(["--model", "resnet18", "--size=320", "--json"]), {
    models: ["resnet18"],
    size: 320,
    batch: 1,
    rounds: 5,
    json: true,
  });
  assertEquals(layerOptions([]).models.length, 2);
  assertThrows(() => layerOptions(["--size", "big"]), RangeError, '"big"');
  assertThrows(() => layerOptions(["--sise", "9"]), RangeError, '"--sise"');
});
