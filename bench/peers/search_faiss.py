"""FAISS's exact search on the CPU and a float64 reference: search.ts starts this."""

import json
import sys
import time

import faiss
import numpy

BLOCK = 8192


def exact(bank, queries):
    """Nearest rows in float64: indices, squared distances, those of the runner-up."""
    queries = queries.astype("f8")
    norms = (queries**2).sum(1)
    best = numpy.full((len(queries), 2), numpy.inf)
    index = numpy.zeros(len(queries), "i8")
    for start in range(0, len(bank), BLOCK):
        rows = bank[start : start + BLOCK].astype("f8")
        squared = norms[:, None] + (rows**2).sum(1) - 2 * queries @ rows.T
        nearest = squared.argmin(1)
        two = numpy.partition(squared, min(1, len(rows) - 1), 1)[:, :2]
        index = numpy.where(two[:, 0] < best[:, 0], start + nearest, index)
        best = numpy.sort(numpy.hstack([best, two]), 1)[:, :2]
    direct = ((queries - bank[index].astype("f8")) ** 2).sum(1)
    return index, direct, best[:, 1]


index = bank = None
for line in sys.stdin:
    request = json.loads(line)
    if "bank" in request:
        faiss.omp_set_num_threads(request["threads"])
        bank = numpy.fromfile(request["bank"], "f4").reshape(-1, request["dim"])
        index = faiss.IndexFlatL2(request["dim"])
        index.add(bank)
        answer = {"version": faiss.__version__}
    else:
        queries = numpy.fromfile(request["queries"], "f4").reshape(-1, bank.shape[1])
        if request.get("check"):
            rows, squared, second = exact(bank, queries)
            answer = {
                "rows": rows.tolist(),
                "squared": squared.tolist(),
                "second": second.tolist(),
            }
        else:
            start = time.perf_counter()
            index.search(queries, 1)
            answer = {"ms": (time.perf_counter() - start) * 1000}
    print(json.dumps(answer), flush=True)
