"""The head that colours: from what a frozen encoder saw of a grey picture to chroma; and how it is written as ONNX.

Coarse features are widened and joined with finer ones, down to a quarter of the picture's sides. There each
place gets a chance for every chroma class; what is given is their mean under sharpened chances (Zhang et
al. 2016, "annealed mean"), muted further where the chances contradict each other.
"""

import torch
from torch import nn
from torch.nn import functional

from network import Graph, convolution, fold_pixels

# Channels of the encoder's features by stride.
SEEN = {4: 24, 8: 40, 16: 112, 32: 320}
FOLD = 4
EPSILON = 1e-3


class Colouriser(nn.Module):
    def __init__(self, classes):
        """`classes` are the chroma classes' a and b, [count, 2]."""
        super().__init__()
        self.register_buffer("classes", classes)
        self.whole = nn.Conv2d(SEEN[32], 96, 1)
        self.at32 = nn.Conv2d(SEEN[32], 96, 1)
        self.at16 = nn.Conv2d(SEEN[16] + 96, 96, 3, padding=1)
        self.at8 = nn.Conv2d(SEEN[8] + 96, 64, 3, padding=1)
        self.at8_more = nn.Conv2d(64, 64, 3, padding=1)
        self.at4 = nn.Conv2d(SEEN[4] + FOLD**2 + 64, 40, 3, padding=1)
        self.at4_more = nn.Conv2d(40, 40, 3, padding=1)
        self.says = nn.Conv2d(40, len(classes), 1)

    def forward(self, grey, s4, s8, s16, s32):
        """Gives each class's logit at a quarter of the sides; `grey` is one plane, as the encoder sees it."""
        x = functional.relu(self.at32(s32) + self.whole(s32.mean((2, 3), keepdim=True)))
        x = functional.relu(self.at16(torch.cat([s16, larger(x)], 1)))
        x = functional.relu(self.at8(torch.cat([s8, larger(x)], 1)))
        x = functional.relu(self.at8_more(x) + x)
        fine = functional.pixel_unshuffle(grey, FOLD)
        x = functional.relu(self.at4(torch.cat([s4, fine, larger(x)], 1)))
        x = functional.relu(self.at4_more(x) + x)
        return self.says(x)

    def mean(self, logits, sharpness=1.0):
        """The mean chroma, and how far from grey the classes are on the average."""
        chances = torch.softmax(logits.float() * sharpness, 1)
        distance = torch.einsum("nkhw,k->nhw", chances, self.classes.norm(dim=1))
        return torch.einsum("nkhw,kc->nchw", chances, self.classes), distance[:, None]

    def chroma(self, logits, sharpness, caution, gain):
        """What is given: where the likely classes contradict each other, their mean is near grey beside them; by a
        power of that, `caution`, doubtful places are muted. What is sure is given in full, times `gain`."""
        mean, distance = self.mean(logits, sharpness)
        agreement = mean.norm(dim=1, keepdim=True) / (distance + EPSILON)
        return gain * agreement**caution * mean


def larger(x):
    return functional.interpolate(x, scale_factor=2, mode="bilinear")


def write(network, sharpness, caution, gain, path):
    """Writes the head: inputs `images`, `s4`, `s8`, `s16`, `s32`; output `chroma`."""
    graph = Graph("colourise-head")
    images = graph.input("images", [1, 3, "height", "width"])
    seen = {
        stride: graph.input(f"s{stride}", [1, channels, f"height_{stride}", f"width_{stride}"])
        for stride, channels in SEEN.items()
    }
    scales = graph.floats("twice", [4], [1.0, 1.0, 2.0, 2.0])

    def part(name, source):
        return convolution(graph, name, getattr(network, name), source)

    def joined(name, *sources):
        *fine, coarse = sources
        way = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        coarse = graph.node("Resize", [coarse, "", scales], f"{name}.coarse", **way)
        return graph.node("Concat", [*fine, coarse], f"{name}.all", axis=1)

    def relu(name, source):
        return graph.node("Relu", [source], f"{name}.relu")

    def more(name, source):
        return relu(name, graph.node("Add", [part(name, source), source], f"{name}.sum"))

    pooled = graph.node("GlobalAveragePool", [seen[32]], "pooled")
    x = graph.node("Add", [part("at32", seen[32]), part("whole", pooled)], "coarse")
    x = relu("coarse", x)
    x = relu("at16", part("at16", joined("at16", seen[16], x)))
    x = relu("at8", part("at8", joined("at8", seen[8], x)))
    x = more("at8_more", x)
    ends = [graph.integers(f"grey.{end}", [1], [end]) for end in (0, 1)]
    grey = graph.node("Slice", [images, *ends, graph.integers("grey.axis", [1], [1])], "grey")
    fine = fold_pixels(graph, grey, 1, FOLD)
    x = relu("at4", part("at4", joined("at4", seen[4], fine, x)))
    x = part("says", more("at4_more", x))
    x = graph.node("Mul", [x, graph.floats("sharpness", [], [sharpness])], "sharpened")
    chances = graph.node("Softmax", [x], "chances", axis=1)
    classes = torch.cat([network.classes, network.classes.norm(dim=1, keepdim=True)], 1)
    weight = graph.floats("classes", [3, len(classes), 1, 1], classes.T.flatten().tolist())
    # The third plane is held from nought by the bias.
    bias = graph.floats("epsilon", [3], [0.0, 0.0, EPSILON])
    said = graph.node("Conv", [chances, weight, bias], "said", kernel_shape=[1, 1])
    parts = graph.integers("parts", [2], [2, 1])
    graph.node("Split", [said, parts], ["mean", "distance"], axis=1)
    length = graph.node("ReduceL2", ["mean"], "length", axes=[1], keepdims=1)
    agreement = graph.node("Div", [length, "distance"], "agreement")
    trust = graph.node("Pow", [agreement, graph.floats("caution", [], [caution])], "trust")
    trust = graph.node("Mul", [trust, graph.floats("gain", [], [gain])], "strength")
    graph.node("Mul", ["mean", trust], "chroma")
    graph.output("chroma", [1, 2, "height_4", "width_4"])
    graph.save(path)
