@builtin(workgroup_id) group: vec3u,
@builtin(num_workgroups) groups: vec3u,
@builtin(local_invocation_id) local: vec3u,
