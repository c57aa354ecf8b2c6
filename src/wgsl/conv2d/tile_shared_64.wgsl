// Tile of 64 rows × 64 columns, 16 input channels a step.
const LANES = 64u;
const DEPTH_BITS = 2u; // vec4 of input channels a step
const COLUMN_BITS = 4u; // vec4 columns of the tile
const LANE_BITS = 3u; // lanes along the columns
const LOADS = 4u; // vec4 that a lane loads of inputs, and of weights, a step

