"""Converts PicoDet from ncnn's text graph and weights to ONNX.

    python picodet_ncnn.py MODEL.param OUT.onnx        (MODEL.bin lies beside it)

Input `images` is [1, 3, 416, 416]; outputs, a stride each (8, 16, 32, 64), are `scores_S`
[1, cells, 80] after the sigmoid and `distances_S` [1, cells, 32].

Shapes are followed through the graph, as channels, height and width: shuffling channels and
naming strides need them.
"""

import collections
import sys

from ncnn import Weights, read_graph
from onnx_writer import Graph

SIDE = 416
CLASSES = 80
# "What is left" in the sizes of a slice.
REST = -233
# name: in the ONNX graph; shape: without the batch.
Tensor = collections.namedtuple("Tensor", "name shape")


class Converter:
    def __init__(self, layers, data):
        self.layers, self.weights = layers, Weights(data)
        self.tensors = {}
        self.graph = Graph("picodet")

    def run(self):
        for layer in self.layers:
            getattr(self, "on_" + layer.kind.lower())(layer)
        if self.weights.at != len(self.weights.data):
            raise ValueError("the weights file holds more than the graph uses")
        return self.graph

    def sources(self, layer):
        return [self.tensors[name] for name in layer.inputs]

    def emit(self, kind, layer, inputs, shape, **attributes):
        (output,) = layer.outputs
        name = self.graph.node(kind, inputs, output, **attributes)
        self.tensors[output] = Tensor(name, shape)

    def same_shape(self, kind, layer, **attributes):
        (source,) = self.sources(layer)
        self.emit(kind, layer, [source.name], source.shape, **attributes)

    def on_input(self, layer):
        shape = (3, SIDE, SIDE)
        self.tensors[layer.outputs[0]] = Tensor(self.graph.input("images", [1, *shape]), shape)

    def on_split(self, layer):
        (source,) = self.sources(layer)
        self.tensors.update((output, source) for output in layer.outputs)

    def on_convolution(self, layer, groups=1):
        (source,) = self.sources(layer)
        given = layer.parameters
        out, kernel, stride, pad = given[0], given[1], given[3], given[4]
        square = all(given[k] == given[k + 10] for k in (1, 2, 3, 4))
        if not square or given[2] != 1 or {given[k] for k in (14, 15, 16)} != {pad} or given.get(9):
            raise ValueError(f"{layer.name} is not a plain convolution")
        channels, *sides = source.shape
        shape = [out, channels // groups, kernel, kernel]
        weight = self.graph.floats(f"{layer.name}.weight", shape, self.weights.tagged(given[6]))
        inputs = [source.name, weight]
        if given[5]:
            bias = self.weights.numbers(out)
            inputs.append(self.graph.floats(f"{layer.name}.bias", [out], bias))
        sides = [(side + 2 * pad - kernel) // stride + 1 for side in sides]
        self.emit(
            "Conv",
            layer,
            inputs,
            (out, *sides),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            group=groups,
        )

    def on_convolutiondepthwise(self, layer):
        self.on_convolution(layer, groups=layer.parameters[7])

    def on_relu(self, layer):
        self.same_shape("Relu", layer)

    def on_sigmoid(self, layer):
        self.same_shape("Sigmoid", layer)

    def on_hardsigmoid(self, layer):
        self.same_shape("HardSigmoid", layer, alpha=layer.parameters[0], beta=layer.parameters[1])

    def on_hardswish(self, layer):
        # Written out: the operation of this name came after the version that is written here.
        (source,) = self.sources(layer)
        slope, middle = layer.parameters[0], layer.parameters[1]
        gate = f"{layer.name}.gate"
        gate = self.graph.node("HardSigmoid", [source.name], gate, alpha=slope, beta=middle)
        self.emit("Mul", layer, [source.name, gate], source.shape)

    def on_pooling(self, layer):
        (source,) = self.sources(layer)
        given = layer.parameters
        channels, *sides = source.shape
        if given.get(4):
            if given[0] != 1:
                raise ValueError(f"{layer.name} pools the whole in a way not known here")
            self.emit("GlobalAveragePool", layer, [source.name], (channels, 1, 1))
            return
        # Padding mode 1 means as given, rounded down.
        kernel, stride, pad = given[1], given[2], given[3]
        if given[0] != 0 or given[5] != 1 or {given[k] for k in (13, 14, 15)} != {pad}:
            raise ValueError(f"{layer.name} pools in a way not known here")
        sides = [(side + 2 * pad - kernel) // stride + 1 for side in sides]
        shapes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        self.emit("MaxPool", layer, [source.name], (channels, *sides), **shapes)

    def on_interp(self, layer):
        (source,) = self.sources(layer)
        # Kind 1 takes the nearest; the scales are those of height and width.
        if layer.parameters[0] != 1 or layer.parameters[1] != layer.parameters[2]:
            raise ValueError(f"{layer.name} resizes in a way not known here")
        scale = layer.parameters[1]
        scales = self.graph.floats(f"{layer.name}.scales", [4], [1.0, 1.0, scale, scale])
        channels, *sides = source.shape
        self.emit(
            "Resize",
            layer,
            [source.name, "", scales],
            (channels, *(int(side * scale) for side in sides)),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def on_binaryop(self, layer):
        left, right = self.sources(layer)
        kind = {0: "Add", 2: "Mul"}[layer.parameters[0]]
        self.emit(kind, layer, [left.name, right.name], left.shape)

    def on_concat(self, layer):
        sources = self.sources(layer)
        if layer.parameters[0] != 0:
            raise ValueError(f"{layer.name} joins something else than channels")
        channels = sum(source.shape[0] for source in sources)
        shape = (channels, *sources[0].shape[1:])
        self.emit("Concat", layer, [source.name for source in sources], shape, axis=1)

    def on_slice(self, layer):
        (source,) = self.sources(layer)
        if layer.parameters.get(1):
            raise ValueError(f"{layer.name} splits something else than channels")
        channels, *sides = source.shape
        *sizes, last = layer.parameters[0]
        sizes.append(channels - sum(sizes) if last == REST else last)
        split = self.graph.integers(f"{layer.name}.sizes", [len(sizes)], sizes)
        self.graph.node("Split", [source.name, split], layer.outputs, axis=1)
        for output, size in zip(layer.outputs, sizes):
            self.tensors[output] = Tensor(output, (size, *sides))

    def reshape(self, source, shape, name):
        shape = self.graph.integers(f"{name}.shape", [len(shape)], shape)
        return self.graph.node("Reshape", [source, shape], name)

    def on_shufflechannel(self, layer):
        (source,) = self.sources(layer)
        channels, *sides = source.shape
        groups = layer.parameters[0]
        if layer.parameters[1]:
            raise ValueError(f"{layer.name} shuffles backwards")
        parted = [1, groups, channels // groups, *sides]
        apart = self.reshape(source.name, parted, f"{layer.name}.parted")
        turned = f"{layer.name}.turned"
        turned = self.graph.node("Transpose", [apart], turned, perm=[0, 2, 1, 3, 4])
        name = self.reshape(turned, [1, *source.shape], layer.outputs[0])
        self.tensors[layer.outputs[0]] = Tensor(name, source.shape)

    def on_reshape(self, layer):
        (source,) = self.sources(layer)
        channels, height, width = source.shape
        if layer.parameters != {0: -1, 1: channels}:
            raise ValueError(f"{layer.name} does more than joining height and width")
        name = self.reshape(source.name, [1, channels, height * width], layer.outputs[0])
        self.tensors[layer.outputs[0]] = Tensor(name, (channels, height * width))

    def on_permute(self, layer):
        (source,) = self.sources(layer)
        if layer.parameters != {0: 1}:
            raise ValueError(f"{layer.name} turns more than two axes")
        channels, cells = source.shape
        # SIDE / stride cells a side, rounded up, so the count of cells names the stride.
        stride = next(s for s in (8, 16, 32, 64) if (-(-SIDE // s)) ** 2 == cells)
        name = f"{'scores' if channels == CLASSES else 'distances'}_{stride}"
        self.graph.node("Transpose", [source.name], name, perm=[0, 2, 1])
        self.graph.output(name, [1, cells, channels])


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        layers = read_graph(file.read().splitlines())
    with open(source.removesuffix(".param") + ".bin", "rb") as file:
        data = file.read()
    Converter(layers, data).run().save(target)


if __name__ == "__main__":
    main()
