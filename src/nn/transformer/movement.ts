/**
 * What moves elements and computes nothing, as views.
 *
 * @module
 */
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { numbersOf } from "../host_tensor.ts";
import {
  type KnownValues,
  resolveAxis,
  resolvePermutation,
  resolveSlice,
  resolveSplit,
} from "../parameters.ts";
import type { Shape } from "../shape_rules.ts";
import { Refusal } from "./refusal.ts";
import type { RowsView } from "./rows_view.ts";
import { reshapedView, slicedView, transposedView, type View } from "./view.ts";

/**
 * The results of Transpose, Split, Gather of one index, and Slice.
 *
 * @throws {Refusal} If a Gather picks several.
 */
export function movedViews(
  node: GraphNode,
  rows: RowsView,
  { values, output }: { readonly values: KnownValues; readonly output: Shape },
): readonly RowsView[] {
  const { view } = rows;
  const { shape } = view;
  const all = (...views: View[]): RowsView[] =>
    views.map((view) => ({ ...rows, view }));
  const axis = (): number =>
    resolveAxis(node, numberAttribute(node, "axis", 0), shape.length);
  switch (node.op) {
    case "Transpose":
      return all(transposedView(view, resolvePermutation(node, shape.length)));
    case "Split": {
      const along = axis();
      let start = 0;
      return all(
        ...resolveSplit(node, shape[along]!, values).map((count) => {
          const part = slicedView(view, along, { start, count });
          start += count;
          return part;
        }),
      );
    }
    case "Gather": {
      const list = values.get(node.inputs[1] ?? "");
      const [index, ...more] = list ? numbersOf(list) : [];
      if (index === undefined || more.length > 0) {
        throw new Refusal("it picks several elements");
      }
      const along = axis();
      const start = index < 0 ? index + shape[along]! : index;
      const part = slicedView(view, along, { start, count: 1 });
      return all(reshapedView(part, output)!);
    }
    default: {
      const { starts, steps, counts } = resolveSlice(node, shape, values);
      return all(shape.reduce(
        (part, _, along) =>
          slicedView(part, along, {
            start: starts[along]!,
            step: steps[along]!,
            count: counts[along]!,
          }),
        view,
      ));
    }
  }
}
