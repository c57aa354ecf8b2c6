//# Weights of 4 inputs and a lane's 2 vec4 columns, from `at` on.
let w0_0 = load_w({at} + column0);
let w0_1 = load_w({at} + column1);
let w1_0 = load_w({at} + params.columns + column0);
let w1_1 = load_w({at} + params.columns + column1);
let w2_0 = load_w({at} + 2u * params.columns + column0);
let w2_1 = load_w({at} + 2u * params.columns + column1);
let w3_0 = load_w({at} + 3u * params.columns + column0);
let w3_1 = load_w({at} + 3u * params.columns + column1);
{at} += 4u * params.columns;
