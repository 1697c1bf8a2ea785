"""Reads a folder of photographs to train on, always in the same order.

Every twentieth photograph, chosen by the hash of its name, is held out: temperatures and gains are
chosen on those, and nothing is trained on them.
"""

import hashlib
import pathlib

import numpy as np
from PIL import Image

HELD_OUT_OF = 20
ENDINGS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}


def paths(folder, held_out):
    """Returns the photographs of a folder, below it too, that are held out, or all others."""
    found = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in ENDINGS)
    if not found:
        raise SystemExit(f"no photographs in {folder}")

    def is_held_out(path):
        return hashlib.sha256(path.name.encode()).digest()[0] % HELD_OUT_OF == 0

    return [path for path in found if is_held_out(path) == held_out]


def open_rgb(path):
    """Returns a photograph as RGB; converting drops what is no colour."""
    with Image.open(path) as photograph:
        return photograph.convert("RGB")


def reduced(folder, held_out, shorter, seed):
    """Returns photographs reduced until their shorter side is `shorter` to 1.25 times that.

    Reducing takes away the traces of their compression. Those that are too small are left out.
    """
    random = np.random.default_rng(seed)
    out = []
    for path in paths(folder, held_out):
        photograph = open_rgb(path)
        factor = shorter * random.uniform(1.0, 1.25) / min(photograph.size)
        if factor > 1.0:
            factor = shorter / min(photograph.size)
        if factor > 1.0:
            continue
        size = [max(shorter, round(side * factor)) for side in photograph.size]
        out.append(np.asarray(photograph.resize(size, Image.Resampling.LANCZOS)))
    return out


def patches(photographs, side, count, random):
    """Cuts `count` squares, turned and mirrored at will, as float32 [count, 3, side, side], 0..1."""
    out = np.empty((count, side, side, 3), np.uint8)
    for row, index in enumerate(random.integers(len(photographs), size=count)):
        photograph = photographs[index]
        top = random.integers(photograph.shape[0] - side + 1)
        left = random.integers(photograph.shape[1] - side + 1)
        patch = photograph[top : top + side, left : left + side]
        patch = np.rot90(patch, random.integers(4))
        out[row] = patch[:, ::-1] if random.integers(2) else patch
    return out.transpose(0, 3, 1, 2).astype(np.float32) / 255
