// The next {together} keys, from `key` on.
//#for j 0 together
let k{j} = key_row(group, key + {j}u);
let v{j} = value_row(group, key + {j}u);
var dots{j} = vec4f();
//#for d 0 d4
dots{j} += q{d} * key_at(k{j} + e{d});
//#end
let sum{j} = dots{j}.x + dots{j}.y + dots{j}.z + dots{j}.w;
let s{j} = select(LOWEST, sum{j} * params.scale, key + {j}u < params.tokens);
//#end
var next = highest;
//#for j 0 together
next = max(next, s{j});
//#end
let shrink = exp2(highest - next);
highest = next;
sum *= shrink;
//#for d 0 d4
o{d} *= shrink;
//#end
//#for j 0 together
let p{j} = exp2(s{j} - next);
sum += p{j};
//#for d 0 d4
o{d} += p{j} * value_at(v{j} + e{d});
//#end
//#end
