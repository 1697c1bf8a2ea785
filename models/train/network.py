"""The small network that removes noise or blur, or upscales; and how it is written as ONNX.

A picture is folded (each square of `fold` pixels becomes channels), goes through residual blocks as
in EDSR (Lim et al. 2017), and is unfolded; what comes out is added to the picture, or to the picture
enlarged linearly. How strong the damage is may be told as a plane more, as in FFDNet (Zhang et al. 2018).
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "convert"))
from onnx_writer import Graph  # noqa: E402


class Repairer(nn.Module):
    def __init__(self, planes, fold, scale, told, channels, blocks):
        super().__init__()
        self.planes, self.fold, self.scale, self.told = planes, fold, scale, told
        self.first = nn.Conv2d(planes * fold**2 + told, channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
            for _ in range(blocks)
        )
        self.last = nn.Conv2d(channels, planes * (fold * scale) ** 2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        for _, second in self.blocks:
            # Blocks begin small, so that many of them train as fast as few.
            second.weight.data *= 0.3

    def forward(self, image, strength=None):
        x = functional.pixel_unshuffle(image, self.fold) if self.fold > 1 else image
        if self.told:
            x = torch.cat([x, strength.expand(-1, 1, *x.shape[2:])], 1)
        start = x = self.first(x)
        for first, second in self.blocks:
            x = x + second(functional.relu(first(x)))
        x = functional.pixel_shuffle(self.last(x + start), self.fold * self.scale)
        if self.scale > 1:
            image = functional.interpolate(image, scale_factor=self.scale, mode="bilinear")
        return image + x


def halves(graph, name, tensor):
    """Adds a weight that is stored in 16 bits and computed with in 32."""
    values = tensor.detach().half().flatten().tolist()
    return graph.node("Cast", [graph.halves(f"{name}.half", tensor.shape, values)], name, to=1)


def convolution(graph, name, layer, source):
    weight = halves(graph, f"{name}.weight", layer.weight)
    bias = halves(graph, f"{name}.bias", layer.bias)
    kernel = list(layer.kernel_size)
    pads = list(layer.padding) * 2
    return graph.node("Conv", [source, weight, bias], name, kernel_shape=kernel, pads=pads)


def write(network, name, path):
    """Writes the network: inputs `image` and, where it is told, `strength`; output `repaired`."""
    graph = Graph(name)
    planes, fold, scale = network.planes, network.fold, network.scale
    image = at = graph.input("image", [1, planes, "height", "width"])
    if fold > 1:
        at = fold_pixels(graph, at, planes, fold)
    if network.told:
        strength = graph.input("strength", [1, 1, 1, 1])
        zero = graph.node("Mul", [one_plane(graph, at), graph.floats("nought", [], [0.0])], "zero")
        at = graph.node("Concat", [at, graph.node("Add", [zero, strength], "told")], "all", axis=1)
    start = at = graph.node("Identity", [convolution(graph, "first", network.first, at)], "start")
    for number, (first, second) in enumerate(network.blocks):
        name = f"block{number}"
        inner = graph.node("Relu", [convolution(graph, f"{name}.first", first, at)], f"{name}.relu")
        inner = convolution(graph, f"{name}.second", second, inner)
        at = graph.node("Add", [at, inner], name)
    at = convolution(graph, "last", network.last, graph.node("Add", [at, start], "joined"))
    if fold * scale > 1:
        at = graph.node("DepthToSpace", [at], "unfolded", blocksize=fold * scale, mode="CRD")
    if scale > 1:
        scales = graph.floats("scales", [4], [1.0, 1.0, scale, scale])
        way = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        image = graph.node("Resize", [image, "", scales], "enlarged", **way)
    graph.node("Add", [image, at], "repaired")
    graph.output("repaired", [1, planes, "height_out", "width_out"])
    graph.save(path)


def fold_pixels(graph, source, planes, fold):
    """Folds squares of pixels into channels in PyTorch's order: plane, row, column.

    ONNX's own operation has another order, so this is a convolution with ones and noughts.
    """
    count = planes * fold**2
    values = [0.0] * (count * planes * fold**2)
    for channel in range(count):
        plane, place = divmod(channel, fold**2)
        values[(channel * planes + plane) * fold**2 + place] = 1.0
    weight = graph.floats("fold", [count, planes, fold, fold], values)
    sides = {"kernel_shape": [fold, fold], "strides": [fold, fold]}
    return graph.node("Conv", [source, weight], "folded", **sides)


def one_plane(graph, source):
    ends = [graph.integers(f"plane.{end}", [1], [end]) for end in (0, 1)]
    axis = graph.integers("plane.axis", [1], [1])
    return graph.node("Slice", [source, *ends, axis], "plane")
