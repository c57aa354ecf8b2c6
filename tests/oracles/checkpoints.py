"""Writes tests/golden/checkpoint with PyTorch (Debian: python3-torch).

    /usr/bin/python3 tests/oracles/checkpoints.py

Every file holds the same tensors, once as safetensors (written here by hand),
once as the zip archive and once as the format of PyTorch before 1.6.
"""

import collections
import json
import pathlib
import struct

import torch

OUT = pathlib.Path(__file__).parent.parent / "golden" / "checkpoint"

DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


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


def raw(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def write_safetensors(path, state):
    header, data = {}, b""
    for name, tensor in state.items():
        bytes_ = raw(tensor)
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(bytes_)],
        }
        data += bytes_
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


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
torch.save(
    state, OUT / "protocol4.zip.pth", pickle_protocol=4
)
torch.save(module(), OUT / "whole_module.zip.pth")
torch.save(module(), OUT / "whole_module.legacy.pth",
           _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(torch.nn.ReLU()), OUT / "torchscript.pt")
