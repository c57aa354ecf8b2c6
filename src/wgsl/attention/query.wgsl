// A lane has one query, which it keeps with its sums in named registers.
let query_at = part_at(group.z, query, 0u, group.y);
//#for d 0 d4
let q{d} = select(vec4f(), load_qkv(query_at + min({d}u, params.head - 1u)), {d}u < params.head);
var o{d} = vec4f();
//#end
var highest = LOWEST;
var sum = 0.0;
