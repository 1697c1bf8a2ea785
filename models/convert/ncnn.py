"""Reads ncnn's text graph and weights.

Both files are described at https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure,
the numbered parameters of each layer in ncnn's `operators.md`.
"""

import collections
import struct
from array import array

# First line of a text graph.
PARAM_MAGIC = "7767517"
# Before a convolution's weights: plain floats, or halves.
FLOATS, HALVES = 0, 0x01306B47

Layer = collections.namedtuple("Layer", "kind name inputs outputs parameters")


def number(text):
    return float(text) if "." in text or "e" in text else int(text)


def read_graph(lines):
    """Returns the layers; parameters are {number: value}, or a list of values."""
    magic, counts, *rows = lines
    if magic.strip() != PARAM_MAGIC:
        raise ValueError("not a text graph of ncnn")
    layers = []
    for row in rows:
        kind, name, taken, given, *words = row.split()
        taken, given = int(taken), int(given)
        parameters = {}
        for word in words[taken + given :]:
            key, _, value = word.partition("=")
            if int(key) <= -23300:
                # A list, which begins with its length.
                parameters[-23300 - int(key)] = [number(v) for v in value.split(",")[1:]]
            else:
                parameters[int(key)] = number(value)
        inputs, outputs = words[:taken], words[taken : taken + given]
        layers.append(Layer(kind, name, inputs, outputs, parameters))
    if len(layers) != int(counts.split()[0]):
        raise ValueError(f"{len(layers)} layers are listed, not {counts.split()[0]}")
    return layers


class Weights:
    """The weights file, read from front to back in the order of the layers."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def numbers(self, count, code="f"):
        size = count * struct.calcsize(code)
        values = struct.unpack_from(f"<{count}{code}", self.data, self.at)
        # Halves may leave the next numbers off their boundary of four bytes.
        self.at += -(-size // 4) * 4
        return array("f", values)

    def tagged(self, count):
        """Weights behind a tag that says how they are stored."""
        (tag,) = struct.unpack_from("<I", self.data, self.at)
        self.at += 4
        if tag not in (FLOATS, HALVES):
            raise ValueError(f"weights are stored in the way {tag:#x}, not known here")
        return self.numbers(count, "e" if tag == HALVES else "f")
