"""Runs DINOv2 as published, in PyTorch, with the weights that `weights convert
--random` draws, at full size, and stores its blocks' maps:

    /usr/bin/python3 tests/oracles/transformers.py FOLDER [NAME:SIDE...]

Needs Debian's python3-torch and python3-onnx. Every network is written by this
package and checked by ONNX's own checker; the FOLDER is for
tests/oracles/transformers.ts. The model is written here from the paper's code
(facebookresearch/dinov2), with PyTorch's own operators.
"""

import pathlib
import re
import subprocess
import sys

import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F
from architectures import ROOT, SEED, image
from safetensors_file import write_safetensors

CASES = ["dinov2_vits14:448", "dinov2_vitb14:518"]
HEAD = 64
PATCH = 14
EPS = 1e-6
# What the position table's scale is beyond the side, against rounding.
OFFSET = 0.1


def convert(name, path):
    subprocess.run(
        ["deno", "run", "-A", "mod.ts", "weights", "convert", "--random",
         str(SEED), "--arch", name, "--out", path, "--overwrite"],
        cwd=ROOT, check=True,
    )


def load(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return {
        tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in model.graph.initializer
    }


def positions(table, side):
    """The table of positions, resized as the published code does it."""
    own = round(table.shape[1] ** 0.5)
    if own == side:
        return table
    scale = (side + OFFSET) / own
    grid = table.reshape(1, own, own, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
    return resized.permute(0, 2, 3, 1).flatten(1, 2)


def attention(x, t, name):
    n, tokens, dim = x.shape
    qkv = x @ t[f"{name}.qkv.weight"] + t[f"{name}.qkv.bias"]
    q, k, v = (
        part.transpose(1, 2)
        for part in qkv.reshape(n, tokens, 3, dim // HEAD, HEAD).unbind(2)
    )
    weights = (q @ k.transpose(-2, -1) * HEAD**-0.5).softmax(-1)
    mixed = (weights @ v).transpose(1, 2).reshape(n, tokens, dim)
    return mixed @ t[f"{name}.proj.weight"] + t[f"{name}.proj.bias"]


def norm(x, t, name):
    return F.layer_norm(
        x, x.shape[-1:], t[f"{name}.weight"], t[f"{name}.bias"], EPS
    )


def run(t, pixels):
    """Every block's tokens of patches behind the final norm, [1, D, h, w]."""
    side = pixels.shape[-1] // PATCH
    x = F.conv2d(
        pixels, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"],
        stride=PATCH,
    ).flatten(2).transpose(1, 2)
    x = torch.cat([t["cls_token"], x + positions(t["pos_embed"], side)], 1)
    seen = {}
    blocks = 1 + max(int(found[1]) for key in t
                     if (found := re.match(r"blocks\.(\d+)\.", key)))
    for i in range(blocks):
        name = f"blocks.{i}"
        x = x + t[f"{name}.ls1.gamma"] * attention(
            norm(x, t, f"{name}.norm1"), t, f"{name}.attn"
        )
        h = norm(x, t, f"{name}.norm2")
        h = F.gelu(h @ t[f"{name}.mlp.fc1.weight"] + t[f"{name}.mlp.fc1.bias"])
        h = h @ t[f"{name}.mlp.fc2.weight"] + t[f"{name}.mlp.fc2.bias"]
        x = x + t[f"{name}.ls2.gamma"] * h
        patches = norm(x, t, "norm")[:, 1:]
        seen[name] = patches.transpose(1, 2).reshape(1, -1, side, side)
    return seen


def main(folder, cases):
    for case in cases:
        name, side = case.split(":")
        path = folder / f"{name}.onnx"
        convert(name, path)
        tensors = load(path)
        with torch.no_grad():
            seen = run(tensors, image(int(side), int(side)))
        write_safetensors(folder / f"{name}.{side}x{side}.safetensors", seen)
        print(f"{name} {side}: checker content, {len(tensors)} tensors, "
              f"{len(seen)} blocks")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:] or CASES)
