/**
 * ONNX MatMul of constants, such as the resampling of a table by matrices.
 *
 * @module
 */
import type { HostTensor } from "./graph.ts";
import { elementCount, makeTensor } from "./host_tensor.ts";
import { broadcast, elementsOf } from "./strided.ts";

/**
 * The product of `[…, M, K]` and `[…, K, N]`, whose leading axes broadcast.
 *
 * @param shape Shape of the result, as the operator's rule gives it.
 */
export function multiplied(
  a: HostTensor,
  b: HostTensor,
  shape: readonly number[],
): HostTensor {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [rows, inner, columns] = [left.at(-2)!, left.at(-1)!, right.at(-1)!];
  const batch = shape.slice(
    0,
    shape.length - Number(a.shape.length > 1) - Number(b.shape.length > 1),
  );
  const spread = (tensor: HostTensor, own: readonly number[]) =>
    elementsOf(
      broadcast({ ...tensor, shape: own } as HostTensor, [
        ...batch,
        ...own.slice(-2),
      ]),
    );
  const [x, y] = [spread(a, left), spread(b, right)];
  const result = new Float64Array(elementCount(shape));
  for (let n = 0, to = 0; n < elementCount(batch); n++) {
    for (let row = 0; row < rows; row++, to += columns) {
      for (let k = 0; k < inner; k++) {
        const factor = x[(n * rows + row) * inner + k]!;
        const from = (n * inner + k) * columns;
        for (let c = 0; c < columns; c++) {
          result[to + c]! += factor * y[from + c]!;
        }
      }
    }
  }
  return makeTensor(a.dtype, shape, result);
}
