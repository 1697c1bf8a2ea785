"""Converts NanoDet from a TensorFlow.js graph model with half-precision weights to ONNX.

    python nanodet_tfjs.py MODEL.json OUT.onnx        (MODEL.bin lies beside it)

Input `images` is [1, 3, 416, 416]; outputs, a stride each (8, 16, 32), are `scores_S`
[1, cells, 80] after the sigmoid and `distances_S` [1, cells, 44].

The graph was made by converting a PyTorch network, so it keeps turning tensors from
channels-first to channels-last and back around each convolution. ONNX computes channels
first throughout: `Tensor.last` only remembers which way the source graph sees a tensor,
a transpose flips that flag, and explicit padding waits on the tensor for the convolution
that uses it.
"""

import base64
import collections
import json
import math
import struct
import sys
from array import array

from onnx_writer import Graph

# name: in the ONNX graph; last: the source sees channels last; pads: top, left, bottom, right.
Tensor = collections.namedtuple("Tensor", "name last pads", defaults=(None,))
TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


def read_weights(manifest, data):
    """Returns {name: (shape, numbers)} of a weights manifest whose floats are halves."""
    out, at = {}, 0
    for group in manifest:
        for weight in group["weights"]:
            count = math.prod(weight["shape"])
            if weight["dtype"] == "int32":
                code, size = "i", 4
            elif weight.get("quantization", {}).get("dtype") == "float16":
                code, size = "e", 2
            else:
                raise ValueError(f"{weight['name']} is stored in a way not known here")
            values = struct.unpack_from(f"<{count}{code}", data, at)
            out[weight["name"]] = weight["shape"], values
            at += count * size
    if at != len(data):
        raise ValueError(f"the weights file has {len(data)} bytes, {at} are described")
    return out


def channels_first(shape, values):
    """Reorders a kernel from height, width, in, out to out, in, height, width."""
    height, width, inner, outer = shape
    values, out = array("f", values), array("f")
    for o in range(outer):
        for i in range(inner):
            # Everything of one (in, out) pair lies this far apart, rows then columns.
            out.extend(values[i * outer + o :: inner * outer])
    return [outer, inner, height, width], out


class Converter:
    def __init__(self, model, data):
        self.nodes = model["modelTopology"]["node"]
        self.weights = read_weights(model["weightsManifest"], data)
        self.shapes = model["signature"]["outputs"]
        self.tensors = {}
        self.graph = Graph("nanodet")

    def tensor(self, name):
        return self.tensors[name]

    def numbers(self, name):
        return list(self.weights[name][1])

    def run(self):
        for node in self.nodes:
            if node["op"] != "Const":
                getattr(self, "on_" + node["op"].lower())(node)
        return self.graph

    def emit(self, kind, node, inputs, last, **attributes):
        name = self.graph.node(kind, inputs, node["name"], **attributes)
        self.tensors[node["name"]] = Tensor(name, last)

    def on_placeholder(self, node):
        shape = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        self.tensors[node["name"]] = Tensor(self.graph.input("images", shape), last=False)

    def on_pad(self, node):
        source = self.tensor(node["input"][0])
        low_high = self.numbers(node["input"][1])
        if source.last or low_high[:4] != [0, 0, 0, 0]:
            raise ValueError(f"{node['name']} pads more than height and width")
        top, bottom, left, right = low_high[4:]
        self.tensors[node["name"]] = source._replace(pads=[top, left, bottom, right])

    def on_padv2(self, node):
        (value,) = self.numbers(node["input"][2])
        if value > -60000:
            raise ValueError(f"{node['name']} pads with {value}, not with the lowest number")
        self.on_pad(node)

    def on_transpose(self, node):
        source, order = self.tensor(node["input"][0]), self.numbers(node["input"][1])
        if order == (TO_FIRST if source.last else TO_LAST):
            self.tensors[node["name"]] = source._replace(last=not source.last)
        elif len(order) == 3:
            self.emit("Transpose", node, [source.name], False, perm=order)
        else:
            raise ValueError(f"{node['name']} reorders {order}")

    def on_conv2d(self, node):
        source, kernel = self.tensor(node["input"][0]), self.weights[node["input"][1]]
        if not source.last or base64.b64decode(node["attr"]["padding"]["s"]) != b"VALID":
            raise ValueError(f"{node['name']} is not a plain convolution")
        shape, values = channels_first(*kernel)
        weight = self.graph.floats(node["input"][1], shape, values)
        strides = [int(i) for i in node["attr"]["strides"]["list"]["i"]]
        # The bias is the Add that follows: it is given then, so the node waits for it.
        self.tensors[node["name"]] = Tensor(
            dict(
                inputs=[source.name, weight],
                kernel_shape=shape[2:],
                strides=strides[1:3],
                pads=source.pads or [0, 0, 0, 0],
            ),
            last=True,
        )

    def on_add(self, node):
        left = self.tensor(node["input"][0])
        if isinstance(left.name, dict):
            convolution = dict(left.name)
            shape, values = self.weights[node["input"][1]]
            bias = self.graph.floats(node["input"][1], shape, values)
            inputs = convolution.pop("inputs") + [bias]
            self.emit("Conv", node, inputs, True, **convolution)
            return
        right = self.tensor(node["input"][1])
        if left.last != right.last:
            raise ValueError(f"{node['name']} adds two orders of channels")
        self.emit("Add", node, [left.name, right.name], left.last)

    def on_leakyrelu(self, node):
        source = self.tensor(node["input"][0])
        alpha = float(node["attr"]["alpha"]["f"])
        self.emit("LeakyRelu", node, [source.name], source.last, alpha=alpha)

    def on_maxpool(self, node):
        source = self.tensor(node["input"][0])
        sides = [int(i) for i in node["attr"]["ksize"]["list"]["i"]][1:3]
        strides = [int(i) for i in node["attr"]["strides"]["list"]["i"]][1:3]
        pads = source.pads or [0, 0, 0, 0]
        self.emit(
            "MaxPool", node, [source.name], True, kernel_shape=sides, strides=strides, pads=pads
        )

    def on_concatv2(self, node):
        *names, axis = node["input"]
        sources = [self.tensor(name) for name in names]
        if any(s.last for s in sources) or self.numbers(axis) != [1]:
            raise ValueError(f"{node['name']} joins something else than channels")
        self.emit("Concat", node, [s.name for s in sources], False, axis=1)

    def on_resizebilinear(self, node):
        source, sides = self.tensor(node["input"][0]), self.numbers(node["input"][1])
        name = node["name"]
        # Sizes are those of the last two axes; the first two are read from the tensor itself.
        shape = self.graph.node("Shape", [source.name], f"{name}.shape")
        ends = [self.graph.integers(f"{name}.{k}", [1], [v]) for k, v in (("0", 0), ("2", 2))]
        front = self.graph.node("Slice", [shape, *ends], f"{name}.front")
        back = self.graph.integers(f"{name}.back", [2], sides)
        sizes = self.graph.node("Concat", [front, back], f"{name}.sizes", axis=0)
        half = node["attr"]["half_pixel_centers"]["b"]
        way = "half_pixel" if half else "asymmetric"
        inputs = [source.name, "", "", sizes]
        self.emit("Resize", node, inputs, True, mode="linear", coordinate_transformation_mode=way)

    def on_splitv(self, node):
        source, sizes = self.tensor(node["input"][0]), self.numbers(node["input"][1])
        if source.last or self.numbers(node["input"][2]) != [1]:
            raise ValueError(f"{node['name']} splits something else than channels")
        split = self.graph.integers(f"{node['name']}.sizes", [len(sizes)], sizes)
        names = [node["name"]] + [f"{node['name']}:{k}" for k in range(1, len(sizes))]
        self.graph.node("Split", [source.name, split], names, axis=1)
        for name in names:
            self.tensors[name] = Tensor(name, last=False)

    def on_sigmoid(self, node):
        source = self.tensor(node["input"][0])
        self.emit("Sigmoid", node, [source.name], source.last)

    def on_sparsetodense(self, node):
        if self.weights[node["input"][0]][1]:
            raise ValueError(f"{node['name']} is not empty")
        # No entries: zeros, which the sum below leaves out.
        self.tensors[node["name"]] = None

    def on_addv2(self, node):
        if self.tensor(node["input"][1]) is not None:
            raise ValueError(f"{node['name']} is not a shape plus nothing")
        self.weights[node["name"]] = self.weights[node["input"][0]]

    def on_reshape(self, node):
        source, (shape, values) = self.tensor(node["input"][0]), self.weights[node["input"][1]]
        target = self.graph.integers(f"{node['name']}.shape", shape, values)
        self.emit("Reshape", node, [source.name, target], False)

    def on_identity(self, node):
        dims = self.shapes[node["name"] + ":0"]["tensorShape"]["dim"]
        shape = [int(d["size"]) for d in dims]
        # 416 / stride cells a side, so the count of cells names the stride.
        stride = 416 // math.isqrt(shape[1])
        name = f"{'scores' if shape[2] == 80 else 'distances'}_{stride}"
        self.graph.node("Identity", [self.tensor(node["input"][0]).name], name)
        self.graph.output(name, shape)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        model = json.load(file)
    with open(source.removesuffix(".json") + ".bin", "rb") as file:
        data = file.read()
    Converter(model, data).run().save(target)


if __name__ == "__main__":
    main()
