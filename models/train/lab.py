"""CIE Lab of sRGB pictures under D65 (IEC 61966-2-1; CIE 15), and Rec. 601 luma; numpy arrays [..., 3], RGB 0..1."""

import numpy as np

# sRGB's primaries, each row divided by the white point's X, Y and Z.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
TO_XYZ = TO_XYZ / TO_XYZ.sum(1, keepdims=True)
FROM_XYZ = np.linalg.inv(TO_XYZ)
LUMA = np.array([0.299, 0.587, 0.114])
# Where Lab's cube root gives way to a straight line.
KINK = 6 / 29


def linear(value):
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0) + 0.055) / 1.055) ** 2.4)


def coded(value):
    value = np.maximum(value, 0)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def lab(rgb):
    """Lightness 0..100, a and b."""
    xyz = linear(rgb) @ TO_XYZ.T
    f = np.where(xyz > KINK**3, np.cbrt(xyz), xyz / (3 * KINK**2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def rgb(lab):
    """What no screen shows leaves 0..1."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], -1)
    xyz = np.where(f > KINK, f**3, 3 * KINK**2 * (f - 4 / 29))
    return coded(xyz @ FROM_XYZ.T)


def luma(rgb):
    return rgb @ LUMA


def coloured(grey, chroma):
    """Gives a grey picture [h, w], 0..1, the chroma [h, w, 2]; its luma stays what it was.

    Lab says which colour belongs to the lightness; of that colour only what differs from its own luma is
    taken, and of this only so much that no plane leaves 0..1.
    """
    lightness = lab(np.repeat(grey[..., None], 3, -1))[..., :1]
    colour = rgb(np.concatenate([lightness, chroma], -1))
    difference = colour - luma(colour)[..., None]
    room = np.where(difference > 0, 1 - grey[..., None], grey[..., None])
    share = np.min(room / np.maximum(np.abs(difference), 1e-9), -1, keepdims=True)
    return grey[..., None] + difference * np.minimum(share, 1)
