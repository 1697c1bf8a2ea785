"""Converts SqueezeNet-Places365 weights (a pickled list of numpy arrays) to ONNX.

    python squeezenet_places.py WEIGHTS.params OUT.onnx

Input `images` is [n, 3, 224, 224], blue first; output is `probabilities` [n, 365]. The network
is SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360) with batch normalisation after
each convolution, folded into it here, and a leaky slope where that has none.

The weights were trained with Theano, which convolves in the mathematical sense: each
kernel is stored turned by half a turn. A weights file is a pickle, which could run
anything. `Weights` below knows arrays of floats and refuses every other name.
"""

import math
import pickle
import sys
from array import array

from onnx_writer import Graph

SIDE, CLASSES = 224, 365
# The networks' slopes were drawn between 0.3 and 0.8 in training; their mean serves after it.
SLOPE = 0.55
# Fire modules: squeezed and expanded channels; True where a pooling comes before.
FIRES = (
    (16, 64, True),
    (16, 64, False),
    (32, 128, True),
    (32, 128, False),
    (48, 192, True),
    (48, 192, False),
    (64, 256, False),
    (64, 256, False),
)


class Kind:
    """What the pickle says of an array's numbers."""

    def __init__(self, code, *_):
        self.code, self.order = code, None

    def __setstate__(self, state):
        self.order = state[1]


class Array:
    """An array of floats: its shape and its numbers, last axis fastest."""

    def __init__(self, *_):
        self.shape, self.values = (), array("f")

    def __setstate__(self, state):
        _, shape, kind, column_order, data = state
        if not isinstance(kind, Kind) or (kind.code, kind.order) != ("f4", "<") or column_order:
            raise pickle.UnpicklingError("refused: the weights are not plain floats")
        self.shape = tuple(shape)
        self.values.frombytes(data)
        if sys.byteorder == "big":
            self.values.byteswap()
        if len(self.values) != math.prod(self.shape):
            raise pickle.UnpicklingError("an array is cut short")


class Weights(pickle.Unpickler):
    """An unpickler that knows lists of arrays of floats, and nothing else."""

    _KNOWN = {
        ("numpy.core.multiarray", "_reconstruct"): Array,
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Kind,
    }

    def find_class(self, module, name):
        try:
            return self._KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused: the weights ask for {module}.{name}") from None


class Converter:
    def __init__(self, arrays):
        self.arrays = iter(arrays)
        self.graph = Graph("squeezenet-places365")

    def take(self, shape):
        """The next array, which must have this shape."""
        found = next(self.arrays)
        if found.shape != tuple(shape):
            raise ValueError(f"an array is {found.shape}, expected {tuple(shape)}")
        return found.values

    def convolution(self, source, name, channels, kernel=1, stride=1, normalised=True):
        """One convolution with its batch normalisation folded in, then the leaky slope."""
        (at, width), (out, area) = source, (channels, kernel * kernel)
        values, bias = self.take([out, width, kernel, kernel]), self.take([out])
        scales = [1.0] * out
        if normalised:
            # The last is stored as one over the deviation.
            beta, gamma, mean, inverse = (self.take([out]) for _ in range(4))
            scales = [g * i for g, i in zip(gamma, inverse)]
            bias = [(b - m) * s + t for b, m, s, t in zip(bias, mean, scales, beta)]
        folded = array("f")
        for channel, scale in enumerate(scales):
            for start in range(channel * width * area, (channel + 1) * width * area, area):
                turned = reversed(values[start : start + area])
                folded.extend(v * scale for v in turned)
        inputs = [
            at,
            self.graph.floats(f"{name}.weight", [out, width, kernel, kernel], folded),
            self.graph.floats(f"{name}.bias", [out], bias),
        ]
        shapes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        at = self.graph.node("Conv", inputs, name, **shapes)
        return self.graph.node("LeakyRelu", [at], f"{name}.leaky", alpha=SLOPE), out

    def fire(self, source, name, squeezed, expanded):
        """Narrow, then widen by kernels of one and of nine, side by side."""
        narrow = self.convolution(source, f"{name}.squeeze", squeezed)
        ones, _ = self.convolution(narrow, f"{name}.expand1", expanded)
        nines, _ = self.convolution(narrow, f"{name}.expand3", expanded, kernel=3)
        return self.graph.node("Concat", [ones, nines], name, axis=1), 2 * expanded

    def run(self):
        graph = self.graph
        at = graph.input("images", ["n", 3, SIDE, SIDE]), 3
        at = self.convolution(at, "conv1", 64, kernel=3, stride=2)
        for number, (squeezed, expanded, pooled) in enumerate(FIRES, start=2):
            if pooled:
                shapes = {"kernel_shape": [3, 3], "strides": [2, 2]}
                at = graph.node("MaxPool", [at[0]], f"pool{number}", **shapes), at[1]
            at = self.fire(at, f"fire{number}", squeezed, expanded)
        at, _ = self.convolution(at, "conv10", CLASSES, normalised=False)
        if next(self.arrays, None) is not None:
            raise ValueError("the weights hold more than the network uses")
        pooled = graph.node("GlobalAveragePool", [at], "pooled")
        logits = graph.node("Flatten", [pooled], "logits", axis=1)
        graph.node("Softmax", [logits], "probabilities", axis=1)
        graph.output("probabilities", ["n", CLASSES])
        return graph


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        arrays = Weights(file).load()
    Converter(arrays).run().save(target)


if __name__ == "__main__":
    main()
