/** Small networks of families other than ResNet and DenseNet, with random weights. */
import {
  type Architecture,
  ArchitectureBuilder,
  buildGraph,
} from "../../src/nn/architectures/architecture.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { makeTensor } from "../../src/nn/host_tensor.ts";

/** Makes a layer's activation from its input: `relu`, `relu6`, `silu`, `hard_swish`. */
type Activate = (name: string, input: string) => string;

class Net extends ArchitectureBuilder {
  channels = 3;
  x = "input";

  convNorm(
    name: string,
    filters: number,
    kernel: number,
    { stride = 1, groups = 1, activate }: {
      stride?: number;
      groups?: number;
      activate?: Activate;
    } = {},
  ): string {
    const y = this.conv(name, this.x, this.channels, filters, kernel, {
      stride,
      groups,
    });
    this.x = this.batchNorm(`${name}.bn`, y, filters);
    if (activate) this.x = activate(`${name}.act`, this.x);
    this.channels = filters;
    return this.x;
  }

  readonly rectify: Activate = (name, input) => this.relu(name, input);

  readonly relu6: Activate = (name, input) =>
    this.node("Clip", name, [input], { min: 0, max: 6 });

  readonly hardSwish: Activate = (name, input) =>
    this.node("HardSwish", name, [input]);

  readonly silu: Activate = (name, input) => {
    const gate = this.node("Sigmoid", `${name}.gate`, [input]);
    return this.node("Mul", name, [input, gate]);
  };

  squeezeExcite(name: string): void {
    const { x, channels } = this;
    let y = this.node("GlobalAveragePool", `${name}.pool`, [x]);
    y = this.conv(`${name}.fc1`, y, channels, 4, 1);
    y = this.relu(`${name}.relu`, y);
    y = this.conv(`${name}.fc2`, y, 4, channels, 1);
    y = this.node("Sigmoid", `${name}.gate`, [y]);
    this.x = this.node("Mul", `${name}.mul`, [x, y]);
  }

  pool(name: string, op: "MaxPool" | "AveragePool" = "MaxPool"): void {
    this.x = this.node(op, name, [this.x], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    });
  }

  /** MobileNet's block: expand, depthwise, project without activation. */
  inverted(
    name: string,
    filters: number,
    stride: number,
    activate: Activate,
    excite = false,
  ): string {
    const [x, channels] = [this.x, this.channels];
    const wide = channels * 3;
    this.convNorm(`${name}.expand`, wide, 1, { activate });
    this.convNorm(`${name}.depthwise`, wide, 3, {
      stride,
      groups: wide,
      activate,
    });
    if (excite) this.squeezeExcite(`${name}.se`);
    this.convNorm(`${name}.project`, filters, 1);
    if (stride === 1 && channels === filters) {
      this.x = this.node("Add", `${name}.add`, [this.x, x]);
    }
    return this.x;
  }

  finish(name: string, levels: readonly string[]): Architecture {
    this.classifier("fc", this.x, this.channels, 10);
    return { name, levels, parameters: this.parameters, nodes: this.nodes };
  }
}

function vgg(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  [8, 12, 16, 20, 24].forEach((filters, i) => {
    for (let j = 0; j < 2; j++) {
      net.convNorm(`block${i}.${j}`, filters, 3, { activate: net.rectify });
    }
    if (i >= 2) levels.push(net.x);
    net.pool(`pool${i}`);
  });
  return net.finish("vgg", [...levels, net.x]);
}

function mobilenetV1(): Architecture {
  const net = new Net();
  const activate = net.relu6;
  const levels: string[] = [];
  net.convNorm("stem", 8, 3, { stride: 2, activate });
  for (let i = 0; i < 4; i++) {
    const filters = net.channels;
    net.convNorm(`dw${i}`, filters, 3, {
      stride: 2,
      groups: filters,
      activate,
    });
    net.convNorm(`pw${i}`, filters + 4, 1, { activate });
    levels.push(net.x);
  }
  return net.finish("mobilenet_v1", levels);
}

function mobilenetV2(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 3, { stride: 2, activate: net.relu6 });
  net.inverted("s4.0", 8, 2, net.relu6);
  levels.push(net.inverted("s4.1", 8, 1, net.relu6));
  net.inverted("s8.0", 12, 2, net.relu6);
  levels.push(net.inverted("s8.1", 12, 1, net.relu6));
  net.inverted("s16.0", 16, 2, net.relu6);
  net.inverted("s16.1", 20, 1, net.relu6);
  levels.push(net.inverted("s16.2", 20, 1, net.relu6));
  net.inverted("s32.0", 24, 2, net.relu6);
  net.inverted("s32.1", 24, 1, net.relu6);
  net.inverted("s32.2", 28, 1, net.relu6);
  levels.push(net.convNorm("head", 40, 1, { activate: net.relu6 }));
  return net.finish("mobilenet_v2", levels);
}

/** One block a level: where no residual addition marks the end. */
function efficientnet(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 3, { stride: 2, activate: net.silu });
  for (let i = 0; i < 3; i++) {
    levels.push(net.inverted(`b${i}`, 8 + 4 * i, 2, net.silu, true));
  }
  net.inverted("b3", 20, 2, net.silu, true);
  levels.push(net.convNorm("head", 32, 1, { activate: net.silu }));
  return net.finish("efficientnet", levels);
}

/** ResNet whose blocks activate x · sigmoid(x) after the addition, with squeeze and excitation. */
function seResnet(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 7, { stride: 2, activate: net.silu });
  net.x = net.maxPool("maxpool", net.x);
  for (let i = 0; i < 4; i++) {
    const stride = i > 0 ? 2 : 1;
    const [x, channels] = [net.x, net.channels];
    net.convNorm(`${i}.conv1`, 16, 1, { activate: net.silu });
    net.convNorm(`${i}.conv2`, 16, 3, { stride, groups: 4 });
    net.squeezeExcite(`${i}.se`);
    const branch = net.convNorm(`${i}.conv3`, 16, 1);
    [net.x, net.channels] = [x, channels];
    if (stride === 2) net.pool(`${i}.down`, "AveragePool");
    const shortcut = net.convNorm(`${i}.shortcut`, 16, 1);
    const sum = net.node("Add", `${i}.add`, [branch, shortcut]);
    net.x = net.silu(`${i}.out`, sum);
    levels.push(net.x);
  }
  return net.finish("se_resnet", levels);
}

/** ResNet v2: normalised and activated before each convolution. */
function preactivation(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 7, { stride: 2 });
  net.x = net.maxPool("maxpool", net.x);
  for (let i = 0; i < 4; i++) {
    const { x, channels } = net;
    const stride = i > 0 ? 2 : 1;
    let y = net.relu(`${i}.relu`, net.batchNorm(`${i}.bn`, x, channels));
    const shortcut = net.conv(`${i}.down`, y, channels, channels + 4, 1, {
      stride,
    });
    y = net.conv(`${i}.conv`, y, channels, channels + 4, 3, { stride });
    net.x = net.node("Add", `${i}.add`, [y, shortcut]);
    net.channels += 4;
    levels.push(net.x);
  }
  net.x = net.relu("last", net.batchNorm("norm", net.x, net.channels));
  return net.finish("preactivation", levels);
}

/** Blocks of branches joined by Concat, as GoogLeNet and SqueezeNet have them. */
function inception(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 3, { stride: 2, activate: net.rectify });
  for (let i = 0; i < 4; i++) {
    net.pool(`pool${i}`);
    for (let j = 0; j < 2; j++) {
      const { x, channels } = net;
      const a = net.convNorm(`${i}.${j}.a`, 8, 1, { activate: net.rectify });
      [net.x, net.channels] = [x, channels];
      const b = net.convNorm(`${i}.${j}.b`, 4, 3, { activate: net.rectify });
      net.x = net.node("Concat", `${i}.${j}`, [a, b], { axis: 1 });
      net.channels = 12;
    }
    levels.push(net.x);
  }
  return net.finish("inception", levels);
}

/** x.view(n, 2, c / 2, h, w).transpose(1, 2).view(n, c, h, w), sizes taken from x. */
function shuffle(net: Net, name: string): void {
  const { x, channels } = net;
  const list = (suffix: string, values: readonly number[]): string =>
    net.node("Constant", `${name}.${suffix}`, [], {
      value: makeTensor("int64", [values.length], values),
    });
  const shape = net.node("Shape", `${name}.shape`, [x]);
  const extent = (axis: number): string =>
    net.node("Gather", `${name}.${axis}`, [shape, list(`at${axis}`, [axis])], {
      axis: 0,
    });
  const [n, h, w] = [0, 2, 3].map(extent) as [string, string, string];
  const groups = list("groups", [2, channels / 2]);
  const grouped = net.node("Concat", `${name}.grouped`, [n, groups, h, w], {
    axis: 0,
  });
  const all = list("all", [channels]);
  const merged = net.node("Concat", `${name}.merged`, [n, all, h, w], {
    axis: 0,
  });
  net.x = net.node("Reshape", `${name}.split`, [x, grouped]);
  net.x = net.node("Transpose", `${name}.turn`, [net.x], {
    perm: [0, 2, 1, 3, 4],
  });
  net.x = net.node("Reshape", `${name}.join`, [net.x, merged]);
}

/** Grouped convolutions with channel shuffles whose sizes are computed. */
function shufflenet(): Architecture {
  const net = new Net();
  const levels: string[] = [];
  net.convNorm("stem", 8, 3, { stride: 2, activate: net.rectify });
  for (let i = 0; i < 4; i++) {
    net.convNorm(`${i}.a`, 8, 3, { stride: 2, activate: net.rectify });
    shuffle(net, `${i}.shuffle`);
    net.convNorm(`${i}.b`, 8, 3, { groups: 2, activate: net.rectify });
    shuffle(net, `${i}.shuffle2`);
    levels.push(net.x);
  }
  return net.finish("shufflenet", levels);
}

/** The networks, with the tensors that end their levels. */
export const BACKBONES: readonly Architecture[] = [
  vgg(),
  mobilenetV1(),
  mobilenetV2(),
  efficientnet(),
  seResnet(),
  preactivation(),
  inception(),
  shufflenet(),
];

/** The network with random weights. MobileNets bound by attributes, as operator sets before 11 do. */
export function randomGraph(architecture: Architecture, seed = 1): Graph {
  const { weights } = randomWeights(architecture, seed);
  const opset = architecture.name.startsWith("mobilenet") ? 10 : 14;
  return { ...buildGraph(architecture, weights), opset };
}

/** The graph with every name replaced by one that says nothing; and the new names. */
export function anonymous(
  graph: Graph,
): { graph: Graph; names: ReadonlyMap<string, string> } {
  const names = new Map<string, string>([["", ""]]);
  const renamed = (name: string): string => {
    if (!names.has(name)) names.set(name, `val_${names.size}`);
    return names.get(name)!;
  };
  const nodes = graph.nodes.map((node, i) => ({
    ...node,
    name: `node_${i}`,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  return {
    names,
    graph: {
      ...graph,
      nodes,
      inputs: graph.inputs.map((input) => ({
        ...input,
        name: renamed(input.name),
      })),
      outputs: graph.outputs.map(renamed),
      constants: new Map(
        [...graph.constants].map(([name, tensor]) => [renamed(name), tensor]),
      ),
    },
  };
}
