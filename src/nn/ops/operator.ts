import type { GraphNode } from "../graph.ts";
import type { PlanContext } from "../plan_context.ts";

/** Appends the dispatches of one node to a plan. */
export type Operator = (node: GraphNode, context: PlanContext) => void;
