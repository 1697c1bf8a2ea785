"""Writes ONNX files with nothing but the standard library.

ONNX is a protocol buffer (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); the
numbers below are that file's field numbers. Every field is written once, in ascending
order, so the same network gives the same bytes on every machine: the cards of glassplate
pin the SHA-256 of what a converter writes.
"""

import struct
from array import array

FLOAT, INT64, FLOAT16 = 1, 7, 10
IR_VERSION, OPSET = 8, 13


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    if isinstance(value, str):
        value = value.encode()
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field, value):
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _attribute(name, value):
    head = _bytes(1, name)
    if isinstance(value, float):
        return head + _float(2, value) + _number(20, 1)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, 2)
    if isinstance(value, str):
        return head + _bytes(4, value) + _number(20, 3)
    return head + b"".join(_number(8, each) for each in value) + _number(20, 7)


def _value(name, shape):
    """A float tensor's name and shape; a text in the shape is a free dimension."""
    dims = b""
    for side in shape:
        dim = _bytes(2, side) if isinstance(side, str) else _number(1, side)
        dims += _bytes(1, dim)
    tensor = _number(1, FLOAT) + _bytes(2, dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def little_endian(values):
    """The bytes of an array of numbers as ONNX wants them."""
    import sys

    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


class Graph:
    """A network being written: nodes in order of computation, weights, inputs, outputs."""

    def __init__(self, name):
        self.name = name
        self._nodes, self._weights, self._inputs, self._outputs = [], [], [], []

    def input(self, name, shape):
        self._inputs.append(_value(name, shape))
        return name

    def output(self, name, shape):
        self._outputs.append(_value(name, shape))

    def floats(self, name, shape, values):
        """Adds a weight; `values` holds the numbers of `shape`, last axis fastest."""
        return self._tensor(name, shape, FLOAT, array("f", values))

    def halves(self, name, shape, values):
        """Adds a weight of 16 bits a number; a `Cast` makes floats of it."""
        raw = struct.pack(f"<{len(values)}e", *values)
        return self._tensor(name, shape, FLOAT16, array("H", struct.unpack(f"={len(raw) // 2}H", raw)))

    def integers(self, name, shape, values):
        return self._tensor(name, shape, INT64, array("q", values))

    def _tensor(self, name, shape, kind, values):
        count = 1
        for side in shape:
            count *= side
        if count != len(values):
            raise ValueError(f"{name}: {len(values)} numbers do not fill {list(shape)}")
        dims = b"".join(_number(1, side) for side in shape)
        raw = _bytes(9, little_endian(values))
        self._weights.append(dims + _number(2, kind) + _bytes(8, name) + raw)
        return name

    def node(self, kind, inputs, outputs, **attributes):
        """Adds an operation and returns its first output's name."""
        outputs = [outputs] if isinstance(outputs, str) else outputs
        body = b"".join(_bytes(1, each) for each in inputs)
        body += b"".join(_bytes(2, each) for each in outputs)
        body += _bytes(3, outputs[0]) + _bytes(4, kind)
        for name in sorted(attributes):
            body += _bytes(5, _attribute(name, attributes[name]))
        self._nodes.append(body)
        return outputs[0]

    def save(self, path):
        graph = b"".join(_bytes(1, each) for each in self._nodes)
        graph += _bytes(2, self.name)
        graph += b"".join(_bytes(5, each) for each in self._weights)
        graph += b"".join(_bytes(11, each) for each in self._inputs)
        graph += b"".join(_bytes(12, each) for each in self._outputs)
        model = _number(1, IR_VERSION) + _bytes(2, "glassplate")
        model += _bytes(7, graph) + _bytes(8, _number(2, OPSET))
        with open(path, "wb") as file:
            file.write(model)
