"""The sampler as published (amazon-science, sampler.py) in PyTorch on the CPU.

coreset.ts starts this: it projects by a linear layer of PyTorch's initial weights,
starts from the mean distance to 10 points, and measures all rows for every pick.
"""

import json
import sys
import time

import numpy
import torch


def distances(a, b):
    """Distances of all rows of a and b by the expansion of the square."""
    a_norms = a.unsqueeze(1).bmm(a.unsqueeze(2)).reshape(-1, 1)
    b_norms = b.unsqueeze(1).bmm(b.unsqueeze(2)).reshape(1, -1)
    return (-2 * a.mm(b.T) + a_norms + b_norms).clamp(0, None).sqrt()


for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    rows = numpy.fromfile(request["rows"], "f4").reshape(-1, request["dim"])
    torch.manual_seed(0)
    with torch.no_grad():
        start = time.perf_counter()
        features = torch.nn.Linear(request["dim"], 128, bias=False)(torch.from_numpy(rows))
        points = numpy.random.RandomState(0).choice(len(rows), 10, replace=False)
        anchors = distances(features, features[points]).mean(1, keepdim=True)
        begun = time.perf_counter()
        for _ in range(request["picks"]):
            pick = torch.argmax(anchors).item()
            new = distances(features, features[pick : pick + 1])
            anchors = torch.cat([anchors, new], 1).min(1).values.reshape(-1, 1)
        end = time.perf_counter()
    answer = {"start": begun - start, "picking": end - begun, "torch": torch.__version__}
    print(json.dumps(answer), flush=True)
