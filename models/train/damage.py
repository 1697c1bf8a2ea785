"""Damages clean pictures in known ways: noise, blur, reduction. Batches are [n, planes, h, w], 0..1."""

import numpy as np
import torch
from torch.nn import functional

# The luma of JPEG (ITU-T T.871): what a grey copy of a picture shows.
LUMA = (0.299, 0.587, 0.114)
STRONGEST_NOISE = 55 / 255
STRONGEST_BLUR = 3.0
# How far the blur that is told may be from the true one, as a share: estimates are never quite right.
MISJUDGED = 0.15
# Of the pictures that noise is taken from, this share is grey, all planes with the same noise, as scans
# of old photographs are.
GREY_SHARE = 0.3


def luma(images):
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def noised(images, random):
    """Adds Gaussian noise; returns (clean, damaged, strength)."""
    count = len(images)
    strength = random.uniform(0, STRONGEST_NOISE, (count, 1, 1, 1)).astype(np.float32)
    noise = random.standard_normal(images.shape, np.float32)
    grey = random.random(count) < GREY_SHARE
    clean = torch.from_numpy(images)
    clean[grey] = luma(clean[grey])
    noise[grey] = noise[grey][:, :1]
    damaged = clean + torch.from_numpy(noise * strength)
    # Half of them as an 8-bit file has them.
    stored = torch.from_numpy(random.random(count) < 0.5)
    damaged[stored] = (damaged[stored].clamp(0, 1) * 255).round() / 255
    return clean, damaged, torch.from_numpy(strength)


def gaussian(sigma):
    """A row of weights that falls off as a Gaussian; cut where it no longer matters."""
    reach = max(1, int(np.ceil(4 * sigma)))
    row = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return torch.from_numpy((row / row.sum()).astype(np.float32))


def blurred(images, random):
    """Blurs the luma, each picture by its own sigma in pixels; returns (clean, damaged, strength).

    The strength is what is told: about the true sigma.
    """
    clean = luma(torch.from_numpy(images))
    true = random.uniform(0.4, STRONGEST_BLUR, (len(images), 1, 1, 1)).astype(np.float32)
    strength = true * random.uniform(1 - MISJUDGED, 1 + MISJUDGED, true.shape).astype(np.float32)
    damaged = torch.empty_like(clean)
    for index, sigma in enumerate(true.ravel()):
        row = gaussian(sigma)
        side = len(row) // 2
        picture = functional.pad(clean[index : index + 1], [side] * 4, mode="replicate")
        picture = functional.conv2d(picture, row[None, None, None, :])
        damaged[index : index + 1] = functional.conv2d(picture, row[None, None, :, None])
    # What an 8-bit file keeps, and in half of them a little noise.
    noise = random.uniform(0, 2 / 255, strength.shape) * (random.random(strength.shape) < 0.5)
    damaged += torch.from_numpy((noise * random.standard_normal(damaged.shape)).astype(np.float32))
    return clean, (damaged.clamp(0, 1) * 255).round() / 255, torch.from_numpy(strength)


def small(images, scale):
    """Reduces the luma as MATLAB's imresize does (bicubic, widened); returns (clean, damaged, None)."""
    clean = luma(torch.from_numpy(images))
    side = clean.shape[-1]
    weights = torch.from_numpy(bicubic(side, scale))
    damaged = weights @ clean @ weights.T
    return clean, (damaged.clamp(0, 1) * 255).round() / 255, None


def bicubic(side, scale):
    """The matrix that reduces a row of `side` pixels by `scale`: Keys' cubic, a = -0.5."""
    out = side // scale
    centres = (np.arange(out) + 0.5) * scale - 0.5
    x = np.abs(np.arange(-2 * scale, side + 2 * scale) - centres[:, None]) / scale
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x <= 1, near, np.where(x <= 2, far, 0))
    weights /= weights.sum(1, keepdims=True)
    # Beyond the border the picture is mirrored.
    inside = np.arange(-2 * scale, side + 2 * scale)
    inside = np.where(inside < 0, -1 - inside, inside)
    inside = np.where(inside >= side, 2 * side - 1 - inside, inside)
    folded = np.zeros((out, side))
    np.add.at(folded.T, inside, weights.T)
    return folded.astype(np.float32)
