"""Converts full-size networks that PyTorch has saved in three formats, and
checks that the ONNX files are the same byte by byte and valid.

    /usr/bin/python3 tests/oracles/convert.py [NAME...]

Needs Debian's python3-torch, python3-torchvision and python3-onnx.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

import onnx
import torch
import torchvision
from safetensors_file import write_safetensors

ROOT = pathlib.Path(__file__).parent.parent.parent


def convert(path):
    out = f"{path}.onnx"
    subprocess.run(
        ["deno", "run", "-A", "mod.ts", "weights", "convert", path,
         "--out", out, "--quiet"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )
    onnx.checker.check_model(onnx.load(out), full_check=True)
    return hashlib.sha256(pathlib.Path(out).read_bytes()).hexdigest()


def main(names):
    for name in names:
        torch.manual_seed(1)
        net = getattr(torchvision.models, name)(weights=None)
        state = net.state_dict()
        with tempfile.TemporaryDirectory() as folder:
            zipped = f"{folder}/zip.pth"
            legacy = f"{folder}/legacy.pth"
            torch.save(state, zipped)
            torch.save(state, legacy, _use_new_zipfile_serialization=False)
            write_safetensors(f"{folder}/w.safetensors", state)
            digests = [
                convert(path)
                for path in (zipped, legacy, f"{folder}/w.safetensors")
            ]
        assert len(set(digests)) == 1, digests
        print(f"{name}: zip, legacy and safetensors give {digests[0]}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["resnet18", "resnext50_32x4d", "densenet121"])
