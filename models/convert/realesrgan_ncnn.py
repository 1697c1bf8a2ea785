"""Converts Real-ESRGAN's networks from ncnn's text graph and weights to ONNX.

    python realesrgan_ncnn.py MODEL.param OUT.onnx        (MODEL.bin lies beside it)

Input `image` is [1, 3, height, width], RGB, 0 to 1, of any size; output `repaired` is
[1, 3, 4 * height, 4 * width], which may leave 0 to 1 by a little. Two families come this way:
the RRDB network of Wang et al. (2018) and the compact one, a row of convolutions.
"""

import sys

from ncnn import Weights, read_graph
from onnx_writer import Graph

# ncnn's numbers of operations.
ADD, SUM, NEAREST, LEAKY = 0, 1, 1, 2


class Converter:
    def __init__(self, layers, data):
        self.layers, self.weights = layers, Weights(data)
        # The graph's names of tensors by ncnn's, and the channels of each.
        self.names, self.channels = {}, {}
        self.graph = Graph("realesrgan")

    def run(self):
        for layer in self.layers:
            getattr(self, "on_" + layer.kind.lower())(layer)
        if self.weights.at != len(self.weights.data):
            raise ValueError("the weights file holds more than the graph uses")
        (last,) = self.layers[-1].outputs
        self.graph.node("Identity", [self.names[last]], "repaired")
        self.graph.output("repaired", [1, 3, "height_out", "width_out"])
        return self.graph

    def emit(self, kind, layer, inputs, channels, **attributes):
        (output,) = layer.outputs
        self.names[output] = self.graph.node(kind, inputs, f"{output}.out", **attributes)
        self.channels[output] = channels

    def sources(self, layer):
        return [self.names[name] for name in layer.inputs]

    def on_input(self, layer):
        (output,) = layer.outputs
        self.names[output] = self.graph.input("image", [1, 3, "height", "width"])
        self.channels[output] = 3

    def on_split(self, layer):
        (source,) = layer.inputs
        for output in layer.outputs:
            self.names[output], self.channels[output] = self.names[source], self.channels[source]

    def on_convolution(self, layer):
        (source,), given = layer.inputs, layer.parameters
        out, kernel, pad = given[0], given[1], given[4]
        known = {0, 1, 4, 5, 6, 9, 10}
        if set(given) - known or kernel != 2 * pad + 1 or given.get(9, 0) not in (0, LEAKY):
            raise ValueError(f"{layer.name} is not a plain convolution")
        channels = self.channels[source]
        shape = [out, channels, kernel, kernel]
        weight = self.graph.floats(f"{layer.name}.weight", shape, self.weights.tagged(given[6]))
        bias = self.graph.floats(f"{layer.name}.bias", [out], self.weights.numbers(out))
        inputs = [self.names[source], weight, bias]
        (output,) = layer.outputs
        self.emit("Conv", layer, inputs, out, kernel_shape=[kernel, kernel], pads=[pad] * 4)
        if given.get(9):
            (slope,) = given[10]
            name = f"{output}.leaky"
            self.names[output] = self.graph.node("LeakyRelu", [self.names[output]], name, alpha=slope)

    def on_prelu(self, layer):
        (source,), count = layer.inputs, layer.parameters[0]
        slopes = self.graph.floats(f"{layer.name}.slopes", [count, 1, 1], self.weights.numbers(count))
        self.emit("PRelu", layer, [self.names[source], slopes], self.channels[source])

    def on_concat(self, layer):
        if layer.parameters.get(0, 0) != 0:
            raise ValueError(f"{layer.name} joins something else than channels")
        channels = sum(self.channels[name] for name in layer.inputs)
        self.emit("Concat", layer, self.sources(layer), channels, axis=1)

    def on_eltwise(self, layer):
        """A weighted sum: how residuals are added, most of them made small first."""
        if layer.parameters.get(0) != SUM:
            raise ValueError(f"{layer.name} is not a sum")
        terms = []
        for number, (name, factor) in enumerate(zip(self.sources(layer), layer.parameters[1])):
            if factor != 1.0:
                factor = self.graph.floats(f"{layer.name}.factor{number}", [], [factor])
                name = self.graph.node("Mul", [name, factor], f"{layer.name}.term{number}")
            terms.append(name)
        self.emit("Add", layer, terms, self.channels[layer.inputs[0]])

    def on_binaryop(self, layer):
        if layer.parameters.get(0, ADD) != ADD:
            raise ValueError(f"{layer.name} is not a sum")
        self.emit("Add", layer, self.sources(layer), self.channels[layer.inputs[0]])

    def on_interp(self, layer):
        (source,), given = layer.inputs, layer.parameters
        if given[0] != NEAREST or given[1] != given[2]:
            raise ValueError(f"{layer.name} resizes in a way not known here")
        scales = self.graph.floats(f"{layer.name}.scales", [4], [1.0, 1.0, given[1], given[2]])
        way = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        inputs = [self.names[source], "", scales]
        self.emit("Resize", layer, inputs, self.channels[source], mode="nearest", **way)

    def on_pixelshuffle(self, layer):
        (source,), given = layer.inputs, layer.parameters
        if set(given) != {0}:
            raise ValueError(f"{layer.name} shuffles in a way not known here")
        channels = self.channels[source] // given[0] ** 2
        shuffle = {"blocksize": given[0], "mode": "CRD"}
        self.emit("DepthToSpace", layer, [self.names[source]], channels, **shuffle)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        layers = read_graph(file)
    with open(source.removesuffix(".param") + ".bin", "rb") as file:
        data = file.read()
    Converter(layers, data).run().save(target)


if __name__ == "__main__":
    main()
