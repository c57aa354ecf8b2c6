/**
 * Uses `./nn` alone: runs an ONNX network on the GPU and takes feature maps
 * from its levels, with no anomaly detection in sight:
 *
 * ```sh
 * deno run -A examples/features.ts weights/demo.onnx
 * ```
 */
import { Gpu } from "@patchcore/webgpu/gpu";
import { findTaps, Network, readOnnx, toNhwc } from "@patchcore/webgpu/nn";

const [path = "weights/demo.onnx"] = Deno.args;
const graph = await readOnnx(await Deno.readFile(path));
const taps = findTaps(graph).map(({ name }) => name);

using gpu = await Gpu.create();
using network = new Network(gpu, graph, { taps });

const shape = [1, 3, 96, 96];
using session = await network.session(shape);
// A grey wedge, channels first, as most programs have it.
const image = Float32Array.from(
  { length: 3 * 96 * 96 },
  (_, i) => (i % 96) / 96 - 0.5,
);
gpu.write(session.input, toNhwc(image, shape));
session.program.run();
for (const { name, tensor, stride } of network.taps) {
  const values = await session.read(tensor);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(
    `${name} [${session.shape(tensor)}], stride ${stride}, mean ${
      mean.toFixed(4)
    }`,
  );
}
