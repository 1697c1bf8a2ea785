"""Converts the features of EfficientNet-Lite (PyTorch's legacy format) to ONNX.

    python efficientnet_taps.py WEIGHTS.pth OUT.onnx

Input `images` is [n, 3, height, width], both sides multiples of 32; outputs are what the network
has seen at four sizes: `s4`, `s8`, `s16` and `s32` [n, channels, height / 4, width / 4] and so on,
24, 40, 112 and 320 channels of Lite0. What glassplate colours by.
"""

import sys

from efficientnet_lite import Converter, read_weights

# The stage that ends with each stride.
TAPS = {1: 4, 2: 8, 4: 16, 6: 32}
# TensorFlow's padding is the same for every side that is a multiple of the last stride.
SIDE = 224


class Taps(Converter):
    def __init__(self, weights):
        super().__init__(weights, SIDE, ["n", 3, "height", "width"])

    def run(self):
        for stage, channels in self.stages():
            if stage in TAPS:
                name = f"s{TAPS[stage]}"
                self.graph.node("Identity", [self.at], name)
                self.graph.output(name, ["n", channels, f"height_{name}", f"width_{name}"])
        return self.graph


def main():
    source, target = sys.argv[1:]
    Taps(read_weights(source)).run().save(target)


if __name__ == "__main__":
    main()
