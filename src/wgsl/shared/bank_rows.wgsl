//# A lane's 8 rows at 4 dimensions: `b0_0` and `b0_1` hold the first.
let b0_0 = load_bank(at);
//#for q 1 8
let b{q / 2}_{q % 2} = load_bank(at + {8 * q}u);
//#end
at += 64u;
