/** A deliberate fault. */
export interface Mutation {
  /** The file it is put into. */
  readonly file: string;
  /** What is wrong with it. */
  readonly what: string;
  /** What is there once. */
  readonly find: string;
  /** What takes its place. */
  readonly replace: string;
  /** Test files one of which has to fail. */
  readonly tests: readonly string[];
}

function kernel(
  name: string,
  what: string,
  [find, replace]: readonly [string, string],
  ...tests: readonly string[]
): Mutation {
  return {
    file: `src/wgsl/${name}.wgsl`,
    what,
    find,
    replace,
    tests: tests.length > 0 ? tests : [`tests/wgsl/${name}_test.ts`],
  };
}

function reader(
  name: string,
  what: string,
  [find, replace]: readonly [string, string],
  test = name,
): Mutation {
  return {
    file: `src/${name}.ts`,
    what,
    find,
    replace,
    tests: [`tests/${test}_test.ts`],
  };
}

const CHOLESKY = "tests/wgsl/cholesky_test.ts";
const CORESET = "tests/core/coreset/greedy_coreset_test.ts";
const SEARCH = "tests/core/search/search_test.ts";

/** A fault for each family of kernels, and for each reader. */
export const MUTATIONS: readonly Mutation[] = [
  kernel(
    "activation",
    "leaky ReLU scales the positive half",
    ["select(v, v * low, v < vec4f())", "select(v, v * low, v > vec4f())"],
    "tests/wgsl/elementwise_test.ts",
    "tests/wgsl/winograd_test.ts",
  ),
  kernel("anomaly_map", "the last of 8 outputs repeats the one before", [
    "params.lines] = high.w;",
    "params.lines] = high.z;",
  ]),
  kernel(
    "cholesky_diagonal",
    "a term of the sum is left out",
    ["for (var k = 0u; k < c; k++)", "for (var k = 1u; k < c; k++)"],
    CHOLESKY,
  ),
  kernel(
    "cholesky_solve",
    "a column is taken twice",
    ["let b3 = factors[at + 3u];", "let b3 = factors[at + 2u];"],
    CHOLESKY,
  ),
  kernel(
    "covariance",
    "the first row always starts the sum anew",
    ["if (params.start == 1u)", "if (params.start <= 1u)"],
    CHOLESKY,
    "tests/core/baselines/padim_test.ts",
  ),
  kernel("concat", "the offset is forgotten", [
    "params.y_channels + params.offset + channel] = v;",
    "params.y_channels + channel] = v;",
  ]),
  kernel(
    "conv2d_grouped",
    "the padding at the right counts as pixels",
    ["ix < params.width)", "ix <= params.width)"],
    "tests/wgsl/conv2d_test.ts",
  ),
  kernel(
    "conv2d_sum",
    "a part of the sum is left out",
    ["for (var part = 1u;", "for (var part = 2u;"],
    "tests/wgsl/conv2d_test.ts",
  ),
  kernel(
    "conv2d/interface",
    "dilation of columns is forgotten",
    ["kx * params.dilation_x", "kx"],
    "tests/wgsl/conv2d_test.ts",
  ),
  kernel("copy_rows", "rows of later chunks come from the first", [
    "indices[params.start + row] - params.first;",
    "indices[params.start + row];",
  ]),
  kernel("elementwise", "the subtrahend comes first", [
    "case 6u: { v = o - v; }",
    "case 6u: { v = v - o; }",
  ]),
  kernel("flatten", "images beyond the first are read from the first", [
    "x[(group.z * params.pixels + pixel)",
    "x[(pixel)",
  ]),
  kernel("gather_channels", "every pixel is the first", [
    "x[pixel * params.x_channels + u32(picks[channel])]",
    "x[u32(picks[channel])]",
  ]),
  kernel("global_average_pool", "the sum is not divided", [
    "sum / f32(params.pixels)",
    "sum",
  ]),
  kernel("image_max", "of equal scores the last patch is named", [
    "row < best_row)",
    "row > best_row)",
  ]),
  kernel(
    "kmeans_update",
    "a row of each codeword is left out",
    ["for (var i = begin;", "for (var i = begin + 1u;"],
    "tests/wgsl/kmeans_test.ts",
  ),
  kernel(
    "mahalanobis",
    "the last dimension of a panel is left out",
    ["k <= r; k++)", "k < r; k++)"],
    CHOLESKY,
    "tests/core/baselines/padim_test.ts",
  ),
  kernel(
    "pack_rows",
    "two rows are swapped",
    ["vec4f(a.y, b.y, c.y, d.y)", "vec4f(a.y, c.y, b.y, d.y)"],
    SEARCH,
  ),
  kernel("pad2d", "reflection repeats the edge", [
    "2 * last - reflected, reflected > last",
    "2 * last + 1 - reflected, reflected > last",
  ]),
  kernel("patch_merge", "lines are mixed the other way round", [
    "(1.0 - share) * x[above] + share * x[below]",
    "share * x[above] + (1.0 - share) * x[below]",
  ]),
  kernel("patch_pool", "the padding counts as pixels of the line before", [
    "return u32(position) < u32(size);",
    "return position < size;",
  ]),
  kernel("pool2d", "padding at the bottom counts in every average", [
    "(COUNT_PADDING && iy < bottom_edge && ix < right_edge)",
    "(iy < bottom_edge && ix < right_edge)",
  ]),
  kernel("product", "rows past the first batch come from the first", [
    "params.a_first + group.z * params.a_batch;",
    "params.a_first;",
  ]),
  kernel("resize_horizontal", "rounding is forgotten for a row", [
    "var sum2 = HALF;",
    "var sum2 = HALF - HALF;",
  ]),
  kernel("reweight", "the nearest neighbour is the farthest", [
    "exp(least - most) / total",
    "exp(most - most) / total",
  ]),
  kernel("row_distances", "all queries are the first", [
    "let q = group.y * params.dim4;",
    "let q = 0u;",
  ]),
  kernel("slice", "steps along columns are forgotten", [
    "i32(place % params.out_width) * params.step_column;",
    "i32(place % params.out_width);",
  ]),
  kernel("softmax", "padding channels get a share", [
    "    if (c < params.channels) {",
    "    if (c <= params.channels) {",
  ]),
  kernel(
    "winograd_output",
    "a coefficient of the transform is wrong",
    ["0.5625 * p + 2.25 * r", "0.5625 * p + 2.5 * r"],
    "tests/wgsl/winograd_test.ts",
  ),
  kernel(
    "coreset_step",
    "of equally far rows the last is picked",
    [
      "(a.anchor == b.anchor && a.row < b.row)",
      "(a.anchor == b.anchor && a.row > b.row)",
    ],
    CORESET,
  ),
  kernel(
    "search_refine",
    "the last part of a distance is left out",
    ["s < lanes_per_row; s++", "s < lanes_per_row - 1u; s++"],
    SEARCH,
    "tests/core/search/nearest_rows_test.ts",
  ),
  reader("core/images/exif", "a tag of 8 bits is taken for one of 16", [
    "view.getUint16(entry + 8, little);",
    "view.getUint8(entry + 8);",
  ]),
  reader("core/images/image_header", "the height of a WebP is one too small", [
    "((bits >>> 14) & 0x3fff) + 1",
    "((bits >>> 14) & 0x3fff)",
  ]),
  reader("core/images/tiff_codecs", "a code of LZW grows one code too late", [
    "codes === (1 << width) - 1",
    "codes === 1 << width",
  ], "core/images/camera"),
  reader("core/images/npy", "an array may be longer than its shape", [
    "body.length !== expected",
    "body.length < expected",
  ]),
  reader("core/model/model_file", "a row may come from an image too many", [
    "origin[i] >= imageNames.length",
    "origin[i] > imageNames.length",
  ]),
  reader("core/datasets/csv_rows", "a line may have fewer cells", [
    "cells.length !== columns.length",
    "cells.length > columns.length",
  ], "core/datasets/list_file"),
  reader("nn/safetensors", "a header may reach past the end", [
    "if (start > bytes.length) {",
    "if (start > bytes.length + 100) {",
  ]),
  reader("nn/checkpoint/torch_tensor", "a view may reach past its storage", [
    "length > 0 && last >= storage.length",
    "length > 0 && last > storage.length",
  ], "nn/checkpoint/state_dict"),
  reader("nn/onnx/tensor_data", "a size may be negative", [
    "if (extent < 0) {",
    "if (extent < -9) {",
  ], "nn/onnx/read"),
  reader("cli/serve/multipart", "a boundary may be the start of a word", [
    "if (mark !== undefined) return { ...mark, at };",
    "return { ...mark ?? { next: at, last: false }, at };",
  ]),
];
