"""The trunks in PyTorch, eager and compiled, on CUDA where there is one.

    python3 bench/peers/trunk.py --model resnet18 --batch 1 --rounds 20

Prints one JSON line a way of running; weights are random, which changes no time.
"""

import argparse
import json
import statistics
import time

import torch
import torchvision

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="wide_resnet50_2")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(options.threads)
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True
whole = getattr(torchvision.models, options.model)(weights=None).eval()
names = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3"]
trunk = torch.nn.Sequential(*[getattr(whole, name) for name in names]).to(device)
images = torch.randn(options.batch, 3, options.size, options.size, device=device)


def milliseconds(run):
    def once():
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        run(images)
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1000

    for _ in range(3):
        once()
    return statistics.median(once() for _ in range(options.rounds))


def report(name, run):
    record = {
        "name": name,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "model": options.model,
        "batch": options.batch,
    }
    try:
        with torch.no_grad():
            record["ms"] = round(milliseconds(run), 3)
    except Exception as error:  # torch.compile needs a compiler that may be missing
        record["error"] = str(error).splitlines()[0][:300]
    print(json.dumps(record), flush=True)


report("PyTorch eager f32", trunk)
if device == "cuda" and hasattr(torch, "compile"):
    report("PyTorch compiled f32", torch.compile(trunk, mode="max-autotune"))
