"""Runs torchvision's networks with the weights that `weights convert --random`
draws, and stores what their stages yield in tests/golden/architectures.

    /usr/bin/python3 tests/oracles/architectures.py [FOLDER [NAME...]]

Needs Debian's python3-torch, python3-torchvision and python3-onnx. Every
network is written by this package, checked by ONNX's own checker, and its
tensors are loaded into torchvision's class of that name. A FOLDER gets the
ONNX files and all values of all stages, for tests/oracles/architectures.ts;
NAMEs are networks other than those whose results are stored.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnx.numpy_helper
import torch
import torchvision
from safetensors_file import write_safetensors

ROOT = pathlib.Path(__file__).parent.parent.parent
OUT = ROOT / "tests" / "golden" / "architectures"
STORED = ["resnet18", "wide_resnet50_2", "resnext101_32x8d", "densenet201"]
SIZES = [(224, 224), (197, 163), (64, 49)]
SEED = 7
SAMPLES = 256


def mix(counters):
    """The 32 bits that SplitMix32 yields for each counter."""
    z = counters.astype(numpy.uint32)
    z = (z ^ (z >> 16)) * numpy.uint32(0x85EBCA6B)
    z = (z ^ (z >> 13)) * numpy.uint32(0xC2B2AE35)
    return z ^ (z >> 16)


def image(height, width):
    """The same pixels as randomFloats(SEED, …) of tests/testing.ts."""
    count = 3 * height * width
    counters = SEED + (numpy.arange(count, dtype=numpy.uint64) + 1) * 0x9E3779B9
    values = (mix(counters) >> 8).astype(numpy.float64) / 2**23 - 1
    return torch.from_numpy(
        values.astype(numpy.float32).reshape(1, 3, height, width)
    )


def samples(tensor):
    """Values at places that are spread over the tensor without a pattern."""
    flat = tensor.flatten()
    places = (numpy.arange(SAMPLES, dtype=numpy.uint64) * 2654435761) % 2**32
    return flat[torch.from_numpy((places % len(flat)).astype(numpy.int64))]


def stages(network):
    features = getattr(network, "features", None)
    if features is None:
        return [getattr(network, f"layer{i}") for i in range(1, 5)]
    return [getattr(features, f"denseblock{i}") for i in range(1, 5)]


def load(name, path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    network = getattr(torchvision.models, name)(weights=None).eval()
    state = network.state_dict()
    given = {
        tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in model.graph.initializer
    }
    unknown = given.keys() - state.keys()
    assert not unknown, f"{name} has no {unknown}"
    past = {key for key in state.keys() - given.keys()
            if not key.endswith("num_batches_tracked")}
    assert all(key.startswith(("fc.", "classifier.", "features.norm5."))
               for key in past), past
    network.load_state_dict(given, strict=False)
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{name}: checker content, {len(given)} tensors, opset "
          f"{model.opset_import[0].version}, {' '.join(operators)}")
    return network


def convert(name, path):
    subprocess.run(
        ["deno", "run", "-A", "mod.ts", "weights", "convert", "--random",
         str(SEED), "--arch", name, "--until", "layer4", "--out", path,
         "--overwrite"],
        cwd=ROOT, check=True,
    )


def run(network, pixels):
    seen = {}
    hooks = [
        stage.register_forward_hook(
            lambda _module, _input, output, i=i: seen.update(
                {f"layer{i + 1}": output}
            )
        )
        for i, stage in enumerate(stages(network))
    ]
    with torch.no_grad():
        network(pixels)
    for hook in hooks:
        hook.remove()
    return seen


def main(folder, names):
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.onnx"
        convert(name, path)
        network = load(name, path)
        golden = {}
        for height, width in SIZES:
            seen = run(network, image(height, width))
            size = f"{height}x{width}"
            write_safetensors(folder / f"{name}.{size}.safetensors", seen)
            for level, tensor in seen.items():
                golden[f"{size} {level}"] = samples(tensor)
                wide = tensor.double()
                golden[f"{size} {level} norm"] = torch.stack(
                    [wide.norm(), wide.sum()]
                )
        if name in STORED:
            write_safetensors(
                OUT / f"{name}.safetensors", golden,
                {"seed": str(SEED), "torchvision": torchvision.__version__},
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = pathlib.Path(sys.argv[1])
        target.mkdir(parents=True, exist_ok=True)
        main(target, sys.argv[2:] or STORED)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(pathlib.Path(temporary), STORED)
