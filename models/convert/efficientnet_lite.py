"""Converts EfficientNet-Lite weights (PyTorch's legacy format) to ONNX.

    python efficientnet_lite.py WEIGHTS.pth OUT.onnx SIDE

Input `images` is [n, 3, SIDE, SIDE]; outputs are `probabilities` [n, 1000] and
`embedding` [n, 1280], the pooled features before the classifier. Batch normalisation is
folded into the convolutions. The network is that of Tan and Le (2019) in its "Lite" form:
no squeeze-and-excitation, ReLU6; padding as TensorFlow's SAME.

A weights file is a pickle, which could run anything. `Weights` below rebuilds tensors
and refuses every other name that the pickle asks for.
"""

import collections
import io
import math
import pickle
import struct
import sys
from array import array

from onnx_writer import Graph

# The variance is kept from zero by this much, as in the published network.
BATCH_NORM_EPSILON = 1e-3
# The stride that each stage begins with; a stage begins where the channels change.
STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
# The first number of a legacy PyTorch file.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

Storage = collections.namedtuple("Storage", "key code")
Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def _rebuild(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def in_order(values, offset, shape, strides):
    """Gathers a tensor's numbers, last axis fastest; `strides` says how they are stored."""
    axes = [(n, s) for n, s in zip(shape, strides) if n != 1]
    out = array(values.typecode)

    def walk(start, axes):
        if not axes:
            out.append(values[start])
            return
        (count, step), rest = axes[0], axes[1:]
        if not rest:
            out.extend(values[start : start + (count - 1) * step + 1 : step])
            return
        for k in range(count):
            walk(start + k * step, rest)

    walk(offset, axes)
    return out


class Weights(pickle.Unpickler):
    """An unpickler that knows tensors and dictionaries, and nothing else."""

    _KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
        ("torch", "FloatStorage"): "f",
        ("torch", "LongStorage"): "q",
    }

    def find_class(self, module, name):
        try:
            return self._KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused: the weights ask for {module}.{name}") from None

    def persistent_load(self, description):
        kind, code, key, _, _, _ = description
        if kind != "storage" or code not in ("f", "q"):
            raise pickle.UnpicklingError(f"refused: the weights ask for {kind!r}")
        return Storage(key, code)


def read_weights(path):
    """Returns {name: (shape, array of floats)} of a legacy PyTorch file."""
    with open(path, "rb") as file:
        stream = io.BytesIO(file.read())
    if Weights(stream).load() != LEGACY_MAGIC:
        raise pickle.UnpicklingError("not a legacy PyTorch file")
    Weights(stream).load()  # protocol version
    Weights(stream).load()  # the writing machine
    tensors = Weights(stream).load()
    codes = {t.storage.key: t.storage.code for t in tensors.values()}
    stored = {}
    for key in Weights(stream).load():
        (count,) = struct.unpack("<q", stream.read(8))
        values = array(codes[key])
        values.frombytes(stream.read(count * values.itemsize))
        if sys.byteorder == "big":
            values.byteswap()
        stored[key] = values
    out = {}
    for name, tensor in tensors.items():
        values = in_order(stored[tensor.storage.key], *tensor[1:])
        if len(values) != math.prod(tensor.shape):
            raise pickle.UnpicklingError(f"{name} is cut short")
        out[name] = tensor.shape, values
    return out


def same_padding(side, kernel, stride):
    """TensorFlow's SAME: the odd pixel goes to the right and to the bottom."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return [total // 2, total // 2, total - total // 2, total - total // 2]


class Converter:
    def __init__(self, weights, side, shape=None):
        self.weights, self.side = weights, side
        self.graph = Graph("efficientnet-lite")
        self.at = self.graph.input("images", shape or ["n", 3, side, side])
        self.low = self.graph.floats("zero", [], [0.0])
        self.high = self.graph.floats("six", [], [6.0])

    def convolution(self, name, norm, stride=1, active=True):
        """One convolution with its batch normalisation folded in, then ReLU6."""
        shape, values = self.weights[f"{name}.weight"]
        gamma, beta, mean, variance = (
            self.weights[f"{norm}.{part}"][1]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        each = len(values) // shape[0]
        scales = [g / math.sqrt(v + BATCH_NORM_EPSILON) for g, v in zip(gamma, variance)]
        folded = array("f")
        for channel, scale in enumerate(scales):
            folded.extend(v * scale for v in values[channel * each : (channel + 1) * each])
        bias = [b - m * s for b, m, s in zip(beta, mean, scales)]
        inputs = [
            self.at,
            self.graph.floats(f"{name}.weight", shape, folded),
            self.graph.floats(f"{name}.bias", [shape[0]], bias),
        ]
        kernel = shape[2]
        self.at = self.graph.node(
            "Conv",
            inputs,
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=same_padding(self.side, kernel, stride),
            group=shape[0] if shape[1] == 1 else 1,
        )
        self.side = -(-self.side // stride)
        if active:
            self.at = self.graph.node("Clip", [self.at, self.low, self.high], f"{name}.relu6")
        return shape[0]

    def block(self, name, stride, skip):
        """One inverted residual: widen, filter each channel, narrow."""
        start = self.at
        if f"{name}._expand_conv.weight" in self.weights:
            self.convolution(f"{name}._expand_conv", f"{name}._bn0")
        self.convolution(f"{name}._depthwise_conv", f"{name}._bn1", stride)
        self.convolution(f"{name}._project_conv", f"{name}._bn2", active=False)
        if skip:
            self.at = self.graph.node("Add", [self.at, start], name)

    def stages(self):
        """Writes everything before the last convolution; yields each stage's number and channels
        when it is done."""
        channels = self.convolution("_conv_stem", "_bn0", stride=2)
        number, stage = 0, -1
        while f"_blocks.{number}._project_conv.weight" in self.weights:
            name = f"_blocks.{number}"
            out = self.weights[f"{name}._project_conv.weight"][0][0]
            begins = out != channels
            if begins and stage >= 0:
                yield stage, channels
            stage += begins
            self.block(name, STAGE_STRIDES[stage] if begins else 1, skip=not begins)
            channels, number = out, number + 1
        yield stage, channels

    def run(self):
        for _ in self.stages():
            pass
        width = self.convolution("_conv_head", "_bn1")
        graph = self.graph
        pooled = graph.node("GlobalAveragePool", [self.at], "pooled")
        embedding = graph.node("Flatten", [pooled], "embedding", axis=1)
        (classes, _), values = self.weights["_fc.weight"]
        weight = graph.floats("_fc.weight", [classes, width], values)
        bias = graph.floats("_fc.bias", [classes], self.weights["_fc.bias"][1])
        logits = graph.node("Gemm", [embedding, weight, bias], "logits", transB=1)
        graph.node("Softmax", [logits], "probabilities", axis=1)
        graph.output("probabilities", ["n", classes])
        graph.output("embedding", ["n", width])
        return graph


def main():
    source, target, side = sys.argv[1:]
    Converter(read_weights(source), int(side)).run().save(target)


if __name__ == "__main__":
    main()
