/**
 * One-node models of every special window over all boundary shapes: channels
 * 1, 3, 5, 45 and 512 by sizes 1, 2, 7, 14 and 33.
 */
import { node } from "./model_builder.ts";
import {
  type Attributes,
  constant,
  type ModelCase,
  modelCase,
} from "./model_case.ts";

const CHANNELS = [1, 3, 5, 45, 512] as const;
const SIZES = [1, 2, 7, 14, 33] as const;
/** Groups that divide each number of channels, more than one where possible. */
const GROUPS: Readonly<Record<typeof CHANNELS[number], number>> = {
  1: 1,
  3: 3,
  5: 5,
  45: 9,
  512: 32,
};
const FILTERS = 5;

interface Window {
  readonly weights: readonly number[];
  readonly attributes: Attributes;
}

type Make = (channels: typeof CHANNELS[number]) => Window;

const CONVOLUTIONS: Readonly<Record<string, Make>> = {
  depthwise: (channels) => ({
    weights: [channels, 1, 3, 3],
    attributes: { group: channels, pads: [1, 1, 1, 1] },
  }),
  grouped: (channels) => {
    const group = GROUPS[channels];
    return {
      weights: [2 * group, channels / group, 3, 3],
      attributes: { group, pads: [1, 1, 1, 1] },
    };
  },
  dilated: (channels) => ({
    weights: [FILTERS, channels, 3, 3],
    attributes: { dilations: [2, 3], pads: [2, 3, 2, 3] },
  }),
  "asymmetric pad": (channels) => ({
    weights: [FILTERS, channels, 3, 3],
    attributes: { pads: [0, 1, 2, 3], strides: [1, 2] },
  }),
  "1x1 stride 2": (channels) => ({
    weights: [FILTERS, channels, 1, 1],
    attributes: { strides: [2, 2] },
  }),
};

function everyShape(
  make: (channels: typeof CHANNELS[number], shape: number[]) => ModelCase[],
): ModelCase[] {
  return CHANNELS.flatMap((channels) =>
    SIZES.flatMap((size) => make(channels, [1, channels, size, size]))
  );
}

/** All cases: five convolutions and two poolings, 25 shapes each. */
export const BOUNDARY_CASES: readonly ModelCase[] = [
  ...Object.entries(CONVOLUTIONS).flatMap(([name, window]) =>
    everyShape((channels, shape) => {
      const { weights, attributes } = window(channels);
      const conv = node("Conv", ["x", "w", "b"], ["y"], attributes);
      return [modelCase(`${name} conv`, shape, [conv], [
        constant("w", weights),
        constant("b", [weights[0]!]),
      ])];
    })
  ),
  ...["MaxPool", "AveragePool"].flatMap((op) =>
    everyShape((_, shape) => [
      modelCase(
        `ceil-mode ${op}`,
        shape,
        [node(op, ["x"], ["y"], {
          kernel_shape: [3, 3],
          strides: [2, 2],
          pads: [1, 1, 1, 1],
          ceil_mode: 1,
        })],
        [],
        19,
      ),
    ])
  ),
];
