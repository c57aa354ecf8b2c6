/**
 * Writes a transformer as a graph that runs: tokens as `[N, D, T, 1]`, so that
 * they lie in memory as images do, and a few operators over them.
 *
 * @module
 */
import type { FreeNames } from "../free_names.ts";
import type { FloatTensor, GraphNode, HostTensor } from "../graph.ts";
import { floatTensor } from "../host_tensor.ts";
import type {
  Attention,
  HeadColumns,
  Linear,
  Matrix,
  Rows,
} from "./expression.ts";
import { TOKEN_OPERATORS } from "./token_operators.ts";

/** What is written beside the nodes. */
export class CanonicalWriter {
  /** Nodes so far. */
  readonly nodes: GraphNode[] = [];
  /** Constants so far, those of the file among them. */
  readonly constants: Map<string, HostTensor>;
  readonly #names: FreeNames;
  readonly #patches: string;
  readonly #offset: string;
  readonly #written = new Map<Rows, string>();

  /**
   * @param patches The map of patches.
   * @param offset What is put before them and added to them, `[1, T, D]`.
   */
  constructor(
    constants: ReadonlyMap<string, HostTensor>,
    names: FreeNames,
    { patches, offset }: { readonly patches: string; readonly offset: string },
  ) {
    this.constants = new Map(constants);
    this.#names = names;
    this.#patches = patches;
    this.#offset = offset;
  }

  /** Writes what rows are computed of, and names the tensor that holds them. */
  rows(rows: Rows): string {
    const known = this.#written.get(rows);
    if (known !== undefined) return known;
    const name = this.#write(rows);
    this.#written.set(rows, name);
    return name;
  }

  /** Adds a node; a name for its result is made up where none is given. */
  add(
    node: Pick<GraphNode, "name" | "op" | "inputs"> & Partial<GraphNode>,
    output: string = this.#names.take(`${node.name}.rows`),
  ): string {
    this.nodes.push({
      attributes: {},
      ...node,
      name: this.#names.take(node.name),
      outputs: [output],
    });
    return output;
  }

  /** Adds a constant. */
  constant(name: string, tensor: HostTensor): string {
    const free = this.#names.take(name);
    this.constants.set(free, tensor);
    return free;
  }

  #write(rows: Rows): string {
    const { name } = rows.node;
    switch (rows.kind) {
      case "embedded":
        return this.add({
          name: "embed",
          op: TOKEN_OPERATORS.embed,
          inputs: [this.#patches, this.#offset],
        });
      case "normed":
        return this.add({
          ...{ name, op: TOKEN_OPERATORS.norm },
          inputs: [this.rows(rows.x), rows.gamma, rows.beta],
          attributes: { epsilon: rows.epsilon },
        });
      case "sum":
        return this.add({
          ...{ name, op: "Add" },
          inputs: rows.of.map((part) => this.rows(part)),
        });
      case "linear":
        return this.#linear(rows);
      case "attention":
        return this.#attention(rows);
    }
  }

  #linear(linear: Linear): string {
    const { node: { name }, x, matrix, bias, scale } = linear;
    const { residual, activation, gate } = linear;
    const vector = (role: string, values?: Float64Array): string =>
      values
        ? this.constant(
          `${name}.${role}`,
          floatTensor([values.length], values),
        )
        : "";
    return this.add({
      ...{ name, op: TOKEN_OPERATORS.linear },
      inputs: [
        this.rows(x),
        this.#matrix(name, matrix, linear.channels),
        vector("bias", bias),
        vector("scale", scale),
        gate ? this.rows(gate) : "",
      ],
      ...(residual && { residual: this.rows(residual) }),
      ...(activation && { activation: { kind: activation } }),
    });
  }

  /** The name of weights `[inputs, outputs]`: the file's own where they are. */
  #matrix(name: string, matrix: Matrix, outputs: number): string {
    return isInOrder(matrix, outputs)
      ? matrix.name
      : this.constant(`${name}.weights`, columnsOfMatrices([matrix]));
  }

  #attention(attention: Attention): string {
    const { node: { name }, parts, heads, scale, rotation, x } = attention;
    const head = attention.channels / heads;
    const [queries, keys, values] = parts;
    const turned = rotation ? [true, true, false] : [false, false, false];
    const picked = [queries, keys, values].map((part, i) =>
      turned[i] ? inPairs(part, head) : part
    );
    const matrices = picked.map(({ of, columns }) => ({
      ...of.matrix,
      columns: columns.map((c) => of.matrix.columns?.[c] ?? c),
    }));
    const [first] = matrices;
    const columns = matrices.flatMap((matrix) => matrix.columns);
    const shared = matrices.every(({ name }) => name === first!.name);
    const weights = shared && isInOrder({ ...first!, columns }, columns.length)
      ? first!.name
      : this.constant(`${name}.qkv`, columnsOfMatrices(matrices));
    const gather = (role: "bias" | "scale", fallback: number): string =>
      picked.some(({ of }) => of[role])
        ? this.constant(
          `${name}.${role}`,
          floatTensor(
            [columns.length],
            picked.flatMap(({ of, columns }) =>
              columns.map((c) => of[role]?.[c] ?? fallback)
            ),
          ),
        )
        : "";
    const qkv = this.add({
      name: `${name}.qkv`,
      op: TOKEN_OPERATORS.linear,
      inputs: [
        this.rows(x),
        weights,
        gather("bias", 0),
        gather("scale", 1),
        "",
        ...(rotation ? [rotation.cos, rotation.sin] : []),
      ],
      ...(rotation &&
        { attributes: { head, prefix: rotation.prefix } }),
    });
    return this.add({
      ...{ name, op: TOKEN_OPERATORS.attention, inputs: [qkv] },
      attributes: { heads, scale },
    });
  }
}

/** The halves of every head in pairs, so that both of a pair lie next to each other. */
function inPairs({ of, columns }: HeadColumns, head: number): HeadColumns {
  const half = head / 2;
  return {
    of,
    columns: columns.map((_, i) => {
      const d = i % head;
      return columns[i - d + (d % 2) * half + (d >> 1)]!;
    }),
  };
}

/** Whether weights are a constant as it is. */
function isInOrder(
  { tensor, outputsFirst, columns }: Matrix,
  outputs: number,
): boolean {
  return !outputsFirst && tensor.shape[1] === outputs &&
    (columns?.every((column, i) => column === i) ?? true);
}

/** Columns of several matrices next to each other, `[inputs, outputs]`. */
function columnsOfMatrices(matrices: readonly Matrix[]): FloatTensor {
  const [{ tensor, outputsFirst }] = matrices as [Matrix];
  const inputs = tensor.shape[outputsFirst ? 1 : 0]!;
  const lists = matrices.map(({ tensor, outputsFirst, columns }) =>
    columns ??
      Array.from({ length: tensor.shape[outputsFirst ? 0 : 1]! }, (_, c) => c)
  );
  const outputs = lists.reduce((sum, { length }) => sum + length, 0);
  const data = new Float32Array(inputs * outputs);
  let first = 0;
  matrices.forEach(({ tensor, outputsFirst }, m) => {
    const list = lists[m]!;
    const all = tensor.shape[outputsFirst ? 0 : 1]!;
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < list.length; o++) {
        const from = outputsFirst ? list[o]! * inputs + i : i * all + list[o]!;
        data[i * outputs + first + o] = tensor.data[from]!;
      }
    }
    first += list.length;
  });
  return floatTensor([inputs, outputs], data);
}
