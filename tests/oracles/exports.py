"""Exports networks with PyTorch's own exporter, random weights inside.

    /usr/bin/python3 tests/oracles/exports.py            # tests/golden/exports
    /usr/bin/python3 tests/oracles/exports.py FOLDER     # full size, 224 x 224

Needs Debian's python3-torch, python3-torchvision and python3-onnx. Beside each
`NAME.onnx` lies `NAME.safetensors` with the image and what the modules yield
that end the levels; its metadata name those modules. Without a FOLDER the
networks are small ones of the same building blocks. FOLDER is for
tests/oracles/exports.ts.
"""

import functools
import pathlib
import sys

import onnx
import torch
import torchvision
from safetensors_file import write_safetensors
from torch import nn
from torchvision.models import (
    efficientnet, mobilenetv2, mobilenetv3, regnet, squeezenet, vgg,
)

ROOT = pathlib.Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "exports"

# Modules that end the levels, by network.
STAGES = {
    "mobilenet_v2": ["features.3", "features.6", "features.13", "features.18"],
    "mobilenet_v3_large":
        ["features.3", "features.6", "features.12", "features.15"],
    "efficientnet_b0":
        ["features.2", "features.3", "features.5", "features.8"],
    "vgg16_bn": ["features.22", "features.32", "features.42", "features.43"],
    "squeezenet1_1": ["features.4", "features.7", "features.12"],
    "regnet_y_400mf": [f"trunk_output.block{i}" for i in range(1, 5)],
    "regnet_x_400mf": [f"trunk_output.block{i}" for i in range(1, 5)],
    "resnet50": [f"layer{i}" for i in range(1, 5)],
    "resnext50_32x4d": [f"layer{i}" for i in range(1, 5)],
    "densenet121": [f"features.denseblock{i}" for i in range(1, 5)],
}


class Pooled(nn.Module):
    """Features and the mean of each channel, as many classifiers begin."""

    def __init__(self, features):
        super().__init__()
        self.features = features

    def forward(self, x):
        return self.features(x).mean([2, 3])


class Odds(nn.Module):
    """What exporters write around convolutions, shapes computed at run time."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.down = nn.Conv2d(4, 8, 3, 2, 1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.middle = nn.Identity()
        self.act = nn.Hardswish()
        self.last = nn.Conv2d(8, 6, 3, 2, 1)
        self.end = nn.Identity()
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.act(self.stem(x))
        x = x[:, : x.size(1) // 2]
        x = self.down(x.to(torch.float32))
        mean = x.mean((2, 3)).unsqueeze(-1).unsqueeze(-1)
        x = x * nn.functional.hardsigmoid(self.gate(mean))
        x = x.view(x.size(0), x.size(1), x.size(2), x.size(3))
        x = self.middle(x)
        x = self.end(self.last(x) + 1)
        flat = nn.functional.adaptive_avg_pool2d(x, 1)
        return self.fc(flat.squeeze(-1).squeeze(-1))


def small_mobilenet_v2():
    net = mobilenetv2.MobileNetV2(
        num_classes=4, width_mult=0.5,
        inverted_residual_setting=[
            [1, 16, 1, 1], [3, 16, 2, 2], [3, 32, 2, 2], [3, 32, 2, 2],
            [3, 48, 1, 2],
        ],
    )
    return Pooled(net.features[:-1])


def small_mobilenet_v3():
    conf = functools.partial(
        mobilenetv3.InvertedResidualConfig, width_mult=1.0
    )
    return mobilenetv3.MobileNetV3(
        [
            conf(8, 3, 16, 8, True, "RE", 2, 1),
            conf(8, 3, 16, 16, False, "RE", 2, 1),
            conf(16, 5, 32, 16, True, "HS", 2, 1),
            conf(16, 5, 32, 16, True, "HS", 1, 1),
            conf(16, 5, 32, 24, True, "HS", 2, 1),
        ],
        last_channel=32, num_classes=4,
    )


def small_efficientnet():
    conf = functools.partial(
        efficientnet.MBConvConfig, width_mult=1.0, depth_mult=1.0
    )
    return efficientnet.EfficientNet(
        [
            conf(1, 3, 1, 8, 8, 1), conf(3, 3, 2, 8, 8, 2),
            conf(3, 5, 2, 8, 16, 2), conf(3, 3, 2, 16, 16, 1),
            conf(3, 5, 2, 16, 24, 2),
        ],
        dropout=0.2, num_classes=4, last_channel=48,
    )


def small_vgg():
    layers = [8, "M", 8, "M", 12, 12, "M", 16, 16, "M", 16, "M"]
    net = vgg.VGG(vgg.make_layers(layers, batch_norm=True), num_classes=4)
    return Pooled(net.features)


def small_squeezenet():
    net = squeezenet.SqueezeNet("1_1", num_classes=4)
    fire = squeezenet.Fire
    net.features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.ReLU(True), nn.MaxPool2d(3, 2, ceil_mode=True),
        fire(8, 4, 8, 8), fire(16, 4, 8, 8), nn.MaxPool2d(3, 2, ceil_mode=True),
        fire(16, 6, 12, 12), nn.MaxPool2d(3, 2, ceil_mode=True),
        fire(24, 6, 12, 12), fire(24, 6, 16, 16),
    )
    net.classifier[1] = nn.Conv2d(32, 4, 1)
    return net


def small_regnet(se_ratio):
    params = regnet.BlockParams.from_init_params(
        depth=6, w_0=8, w_a=9.0, w_m=2.0, group_width=8, se_ratio=se_ratio,
    )
    return regnet.RegNet(params, num_classes=4, stem_width=8)


SMALL = {
    "mobilenet_v2":
        (small_mobilenet_v2,
         ["features.3", "features.5", "features.7", "features.8"],
         {"opset_version": 9}),
    "mobilenet_v3":
        (small_mobilenet_v3,
         ["features.1", "features.2", "features.4", "features.6"],
         {"opset_version": 15}),
    "efficientnet":
        (small_efficientnet,
         [f"features.{i}" for i in range(2, 6)],
         {"training": torch.onnx.TrainingMode.PRESERVE}),
    "vgg_bn":
        (small_vgg, 
         ["features.13", "features.20", "features.24", "features.25"],
         {"training": torch.onnx.TrainingMode.PRESERVE, "opset_version": 11}),
    "squeezenet": (small_squeezenet, ["features.4", "features.6", "features.9"], {"opset_version": 10}),
    "regnet_y":
        (lambda: small_regnet(0.25),
         [f"trunk_output.block{i}" for i in range(1, 5)], {}),
    "regnet_x":
        (lambda: small_regnet(None),
         [f"trunk_output.block{i}" for i in range(1, 5)],
         {"opset_version": 17}),
    "odds": (Odds, ["middle", "end"], {}),
}


def settle(net):
    """Gives batch normalisation something to do."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
    return net.eval()


def export(folder, name, net, stages, size, **options):
    image = torch.randn(1, 3, *size)
    path = folder / f"{name}.onnx"
    axes = {0: "n", 2: "h", 3: "w"}
    if name.startswith("vgg16"):
        # Its adaptive pooling is exported for a known size only.
        axes = {0: "n"}
    torch.onnx.export(
        net, image, path, input_names=["image"],
        dynamic_axes={"image": axes},
        **{"opset_version": 13, **options},
    )
    onnx.checker.check_model(onnx.load(path))
    seen = {"image": image}
    for stage in stages:
        net.get_submodule(stage).register_forward_hook(
            lambda _module, _input, output, stage=stage: seen.update(
                {stage: output.clone()}
            )
        )
    with torch.no_grad():
        net(image)
    write_safetensors(
        folder / f"{name}.safetensors", seen,
        {"stages": ",".join(stages), "torchvision": torchvision.__version__},
    )
    operators = sorted({node.op_type for node in onnx.load(path).graph.node})
    print(f"{name}: {path.stat().st_size} bytes, {' '.join(operators)}")


def main():
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        for name, stages in STAGES.items():
            torch.manual_seed(1)
            net = getattr(torchvision.models, name)(weights=None)
            export(folder, name, settle(net), stages, (224, 224))
        return
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, (make, stages, options) in SMALL.items():
        torch.manual_seed(2)
        export(GOLDEN, name, settle(make()), stages, (65, 48), **options)


if __name__ == "__main__":
    main()
