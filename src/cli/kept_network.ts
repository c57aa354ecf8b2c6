import {
  type Architecture,
  architecture,
  type Level,
  LEVELS,
  type Positions,
} from "../core/weights.ts";
import { UsageError } from "./exit.ts";

/** What of a network is kept, as a command line says. */
export interface KeptOptions {
  /** The last level or block, `layer2` or `blocks.8`. */
  readonly until?: string | undefined;
  /** How a transformer's positions are fitted. */
  readonly positions: Positions;
}

/** A network, and where it ends. */
export interface KeptNetwork {
  /** The network, a transformer without the blocks behind its last one. */
  readonly network: Architecture;
  /** The last level of a convolutional network. */
  readonly until: Level;
  /** The end in words. */
  readonly end: string;
}

/**
 * The part of a network that a command line asks for.
 *
 * @throws {UsageError} If the network has no such level or block.
 */
export function keptNetwork(
  name: string,
  { until, positions }: KeptOptions,
): KeptNetwork {
  const whole = architecture(name, { positions });
  const { transformer } = whole;
  if (transformer === undefined) {
    const level = LEVELS.find((level) => level === (until ?? "layer3"));
    if (level !== undefined) {
      return { network: whole, until: level, end: level };
    }
    throw new UsageError(
      `Cannot use --until ${until} of "${name}": expected one of ${
        LEVELS.join(", ")
      }`,
    );
  }
  const [, digits] = /^blocks\.(\d+)$/.exec(until ?? "") ?? [];
  const last = digits === undefined
    ? transformer.fullDepth - 1
    : Number(digits);
  if (
    until !== undefined && digits === undefined || last >= transformer.fullDepth
  ) {
    throw new UsageError(
      `Cannot use --until ${until} of "${name}": it is a transformer, expected blocks.0 to blocks.${
        transformer.fullDepth - 1
      }`,
    );
  }
  return {
    network: architecture(name, { positions, depth: last + 1 }),
    until: "layer3",
    end: `blocks.${last}`,
  };
}
