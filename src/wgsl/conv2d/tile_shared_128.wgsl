// Tile of 128 rows × 128 columns, 8 input channels a step.
const LANES = 256u;
const DEPTH_BITS = 1u; // vec4 of input channels a step
const COLUMN_BITS = 5u; // vec4 columns of the tile
const LANE_BITS = 4u; // lanes along the columns
const LOADS = 1u; // vec4 that a lane loads of inputs, and of weights, a step

