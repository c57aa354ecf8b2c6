"""Writes tests/golden/checkpoint with PyTorch (Debian: python3-torch).

    /usr/bin/python3 tests/oracles/checkpoints.py

Of the same tensors there is one safetensors file (written here by hand), one
zip archive, and one in the format of PyTorch before 1.6. The DenseNet needs
torchvision (Debian: python3-torchvision).
"""

import collections
import pathlib
import re

import torch
import torchvision
from safetensors_file import DTYPES, write_safetensors

OUT = pathlib.Path(__file__).parent.parent / "golden" / "checkpoint"

def tensors():
    torch.manual_seed(1)
    base = torch.randn(4, 6)
    long_name = "ünï.weight"
    result = collections.OrderedDict()
    for dtype in DTYPES:
        name = str(dtype).removeprefix("torch.")
        result[name] = (torch.randn(3, 5) * 50).to(dtype)
    result["transposed"] = base.t()
    result["columns"] = base[:, 1:5:2]
    result["rows"] = base[1:3]
    result["permuted"] = torch.randn(2, 3, 4, 5).permute(0, 2, 3, 1)
    result["channels_last"] = torch.randn(2, 3, 4, 5).to(
        memory_format=torch.channels_last
    )
    result["half_transposed"] = torch.randn(3, 2).half().t()
    result["scalar"] = torch.tensor(7)
    result["empty"] = torch.zeros(0, 3)
    result["parameter"] = torch.nn.Parameter(torch.randn(300))
    result[long_name] = torch.randn(1)
    return result


def module():
    torch.manual_seed(2)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2)
    )


OUT.mkdir(parents=True, exist_ok=True)
state = tensors()
write_safetensors(OUT / "tensors.safetensors", state)
write_safetensors(OUT / "module.safetensors", module().state_dict())
wrapped = {
    "epoch": 3,
    "lr": 0.1,
    "best": None,
    "shape": torch.Size([1, 2]),
    "state_dict": torch.nn.DataParallel(module()).state_dict(),
}
for suffix, zipped in (("zip", True), ("legacy", False)):
    options = {"_use_new_zipfile_serialization": zipped}
    torch.save(state, OUT / f"tensors.{suffix}.pth", **options)
    torch.save(module().state_dict(), OUT / f"module.{suffix}.pth", **options)
    torch.save(wrapped, OUT / f"wrapped.{suffix}.pth", **options)
torch.save(state, OUT / "protocol4.zip.pth", pickle_protocol=4)
torch.save(module(), OUT / "whole_module.zip.pth")
torch.save(
    module(),
    OUT / "whole_module.legacy.pth",
    _use_new_zipfile_serialization=False,
)
torch.jit.save(torch.jit.script(torch.nn.ReLU()), OUT / "torchscript.pt")


def densenet():
    """A small DenseNet whose batch normalisation has something to do."""
    torch.manual_seed(3)
    net = torchvision.models.DenseNet(
        growth_rate=4, block_config=(1, 2, 1, 1), num_init_features=8,
        bn_size=2, num_classes=3,
    )
    for module_ in net.modules():
        if isinstance(module_, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module_.weight, 1, 0.2)
            torch.nn.init.normal_(module_.bias, 0, 0.2)
            module_.running_mean.normal_(0, 0.2)
            module_.running_var.uniform_(0.5, 2)
    return net.eval()


net = densenet()
seen = collections.OrderedDict(input=torch.randn(1, 3, 32, 32))
for i in range(1, 5):
    getattr(net.features, f"denseblock{i}").register_forward_hook(
        lambda _module, _input, output, i=i: seen.update({f"layer{i}": output})
    )
with torch.no_grad():
    net(seen["input"])
write_safetensors(OUT / "densenet.activations.safetensors", seen)
weights = net.state_dict()
# The names of the files that torchvision publishes.
old = collections.OrderedDict(
    (re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name), tensor)
    for name, tensor in weights.items()
)
write_safetensors(OUT / "densenet.safetensors", weights)
torch.save(weights, OUT / "densenet.zip.pth")
torch.save(
    old, OUT / "densenet.legacy.pth", _use_new_zipfile_serialization=False
)
