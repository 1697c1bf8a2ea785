"""Trains the head that colours grey pictures, and writes it as ONNX.

    python colourise.py see PHOTOGRAPHS ENCODER.onnx FEATURES
    python colourise.py train FEATURES OUT.onnx [--epochs N] [--from CHECKPOINT]
    python colourise.py settle FEATURES OUT.onnx

`see` lets the encoder look at each photograph once and keeps what it saw (a quarter of a megabyte each);
another seed sees other parts of it, as other films would;
`train` learns the head; `settle` chooses sharpness, caution and gain on the photographs held out (of those that are colourful
enough what betters most of them), and writes them in.
"""

import argparse
import itertools
import json
import math
import pathlib
import time

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch.nn import functional

import colouriser
import lab
import photographs

SEED = 20260102
SIDE = 192
BATCH = 32
CLASSES = 96
# How far a target reaches into neighbouring classes, in Lab.
SOFTNESS = 5.0
# Rare chroma counts more than frequent, by this power of how rare it is; at most so much.
RARITY, MOST = 0.15, 3.0
# How colourful results are to be, as a share of the truth's colourfulness, on the photographs held out.
WANTED = 0.6
# More caution than this leaves blots: single places that it is sure of, alone in what is muted.
SHARPNESS, CAUTION, GAIN = (0.6, 0.8, 1.1), (0.0, 0.5, 1.0), (0.8, 1.0, 1.3, 1.6)
KEPT = {"grey": (1, SIDE, SIDE), "chroma": (2, SIDE // 4, SIDE // 4)} | {
    f"s{stride}": (channels, SIDE // stride, SIDE // stride)
    for stride, channels in colouriser.SEEN.items()
}
# Of the photographs, this share is seen as films see that are blind to red, or through a filter: not
# by the luma that screens have.
OTHER_FILM = 0.35
# The share that is seen faded, or harder or softer than it was taken.
OTHER_TONE = 0.5


def seen_by_film(colour, random):
    """Returns what a monochrome photograph of these colours looks like, [h, w], 0..1."""
    weights = lab.LUMA
    if random.random() < OTHER_FILM:
        weights = random.dirichlet([1.0, 2.0, 1.5])
    grey = colour @ weights
    if random.random() < OTHER_TONE:
        grey = np.clip(grey, 0, 1) ** math.exp(random.uniform(-0.35, 0.35))
        low, high = random.uniform(0, 0.15), random.uniform(0.85, 1)
        grey = low + grey * (high - low)
    return grey


def see(folder, encoder, target, seed):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(encoder, options, providers=["CPUExecutionProvider"])
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for name, held_out in (("train", False), ("held-out", True)):
        found = photographs.paths(folder, held_out)
        random.shuffle(found)
        kinds = {"grey": np.uint8} | {key: np.float16 for key in KEPT if key != "grey"}
        kept = {
            key: np.lib.format.open_memmap(
                target / f"{name}-{key}.npy", "w+", kinds[key], (len(found), *shape)
            )
            for key, shape in KEPT.items()
        }
        for row, path in enumerate(found):
            photograph = photographs.open_rgb(path)
            # Whole, or a part of it, brought to a square.
            width, height = photograph.size
            share = random.uniform(0.6, 1) if random.random() < 0.5 else 1.0
            left, top = random.uniform(0, 1 - share, 2)
            box = (left * width, top * height, (left + share) * width, (top + share) * height)
            square = photograph.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
            colour = np.asarray(square, np.float32) / 255
            if random.random() < 0.5:
                colour = colour[:, ::-1]
            grey = np.uint8(np.clip(seen_by_film(colour, random), 0, 1) * 255 + 0.5)
            chroma = lab.lab(colour)[..., 1:].reshape(SIDE // 4, 4, SIDE // 4, 4, 2).mean((1, 3))
            images = (np.float32(grey) - 127) / 128
            outputs = session.run(None, {"images": np.repeat(images[None, None], 3, 1)})
            kept["grey"][row], kept["chroma"][row] = grey[None], chroma.transpose(2, 0, 1)
            for key, output in zip((o.name for o in session.get_outputs()), outputs):
                kept[key][row] = output[0]
            if (row + 1) % 1000 == 0:
                print(f"{name}: {row + 1} of {len(found)}", flush=True)


def load(folder, name):
    return {key: np.load(pathlib.Path(folder) / f"{name}-{key}.npy", mmap_mode="r") for key in KEPT}


def batch(kept, rows):
    rows = np.sort(rows)
    out = {key: torch.from_numpy(values[rows]).float() for key, values in kept.items()}
    out["grey"] = (out["grey"] - 127) / 128
    return out


def find_classes(kept, random):
    """Chroma classes by k-means on what there is, rare chroma drawn as if it were less rare."""
    rows = np.sort(random.choice(len(kept["chroma"]), min(3000, len(kept["chroma"])), replace=False))
    points = kept["chroma"][rows].astype(np.float32).transpose(0, 2, 3, 1).reshape(-1, 2)
    points = points[random.choice(len(points), min(400_000, len(points)), replace=False)]
    cells, place, counts = np.unique(
        np.round(points / 4).astype(int), axis=0, return_inverse=True, return_counts=True
    )
    weights = counts[place.ravel()] ** -0.6
    points = points[random.choice(len(points), 20_000, p=weights / weights.sum())]
    centres = points[random.choice(len(points), CLASSES, replace=False)]
    for _ in range(25):
        nearest = ((points[:, None] - centres) ** 2).sum(-1).argmin(1)
        for index in range(CLASSES):
            if (nearest == index).any():
                centres[index] = points[nearest == index].mean(0)
    return torch.from_numpy(centres[np.lexsort(centres.T)])


def targets(chroma, classes):
    """How much of each class the true chroma is, [n, classes, h, w]."""
    distance = (chroma[:, None] - classes[None, :, :, None, None]).square().sum(2)
    return torch.softmax(-distance / (2 * SOFTNESS**2), 1)


def rarity(kept, classes, random):
    """What each class counts; 1 on the average of what there is."""
    rows = random.choice(len(kept["chroma"]), min(1000, len(kept["chroma"])), replace=False)
    share = targets(batch(kept, rows)["chroma"], classes).mean((0, 2, 3))
    weights = share.clamp(min=1e-5) ** -RARITY
    weights = (weights / (weights * share).sum()).clamp(max=MOST)
    return weights / (weights * share).sum()


def logits(network, seen):
    seen = {key: seen[key].to(memory_format=torch.channels_last) for key in seen if key != "chroma"}
    with torch.autocast("cpu", torch.bfloat16):
        return network(**seen).float()


def train(folder, out, epochs, rate, start):
    torch.manual_seed(SEED)
    random = np.random.default_rng(SEED)
    kept = load(folder, "train")
    network = colouriser.Colouriser(find_classes(kept, random))
    if start:
        network.load_state_dict(torch.load(start, weights_only=True))
    network = network.to(memory_format=torch.channels_last)
    weights = rarity(kept, network.classes, random)
    count = sum(weight.numel() for weight in network.parameters())
    total = epochs * (len(kept["grey"]) // BATCH)
    print(f"{count:,} weights, {total} steps", flush=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    step, began = 0, time.monotonic()
    for epoch in range(epochs):
        order, losses = random.permutation(len(kept["grey"])), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            for group in optimiser.param_groups:
                lift = min(1.0, (step + 1) / 100)
                group["lr"] = rate * lift * (0.01 + 0.99 * (1 + math.cos(math.pi * step / total)) / 2)
            seen = batch(kept, order[first : first + BATCH])
            if random.random() < 0.5:
                # What the encoder sees of a mirrored picture is nearly what it saw, mirrored.
                seen = {key: values.flip(-1) for key, values in seen.items()}
            said, truth = logits(network, seen), seen["chroma"]
            # Of each four places one is asked: neighbours say nearly the same, and this is what costs.
            down, right = random.integers(2, size=2)
            said, truth = (each[:, :, down::2, right::2] for each in (said, truth))
            target = targets(truth, network.classes)
            counts = (target * weights[:, None, None]).sum(1)
            surprise = -(target * functional.log_softmax(said, 1)).sum(1)
            # The mean is held to the truth as well, so that it is one to work with.
            off = (network.mean(said)[0] - truth).abs().sum(1) / 20
            loss = (counts * surprise).mean() + 0.5 * off.mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
            step += 1
            if step % 100 == 0:
                torch.save(network.state_dict(), out.removesuffix(".onnx") + ".pt")
                print(f"{step} of {total}: {np.mean(losses):.4f}, {time.monotonic() - began:.0f} s", flush=True)
                losses = []
    torch.save(network.state_dict(), out.removesuffix(".onnx") + ".pt")


def colourfulness(rgb):
    """Hasler and Süsstrunk (2003), "Measuring colourfulness in natural images"; `rgb` [..., h, w, 3], 0..255."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    one, two = red - green, (red + green) / 2 - blue
    spread = np.hypot(one.std((-2, -1)), two.std((-2, -1)))
    return spread + 0.3 * np.hypot(one.mean((-2, -1)), two.mean((-2, -1)))


def settle(folder, out):
    kept = load(folder, "held-out")
    state = torch.load(out.removesuffix(".onnx") + ".pt", weights_only=True)
    network = colouriser.Colouriser(state["classes"])
    network.load_state_dict(state)
    network.eval()
    rows = np.arange(len(kept["grey"]))
    seen = [batch(kept, part) for part in np.array_split(rows, 16)]
    # Every other place is enough, and quicker.
    with torch.no_grad():
        said = [logits(network, part)[:, :, ::2, ::2] for part in seen]
    grey = [functional.avg_pool2d(part["grey"], 4)[:, 0, ::2, ::2].numpy() for part in seen]
    grey = (np.concatenate(grey) * 128 + 127) / 255
    truth = np.concatenate([part["chroma"][:, :, ::2, ::2].numpy() for part in seen])
    truth = truth.transpose(0, 2, 3, 1)
    true_colour = colourfulness(255 * lab.coloured(grey, truth))
    best = None
    for sharpness, caution, gain in itertools.product(SHARPNESS, CAUTION, GAIN):
        given = [network.chroma(part, sharpness, caution, gain).numpy() for part in said]
        given = np.concatenate(given).transpose(0, 2, 3, 1)
        error = np.square(given - truth).sum(-1).mean((1, 2))
        told = dict(
            sharpness=sharpness,
            caution=caution,
            gain=gain,
            error=math.sqrt(error.mean()),
            better=(error < np.square(truth).sum(-1).mean((1, 2))).mean(),
            share=colourfulness(255 * lab.coloured(grey, given)).mean() / true_colour.mean(),
        )
        print(json.dumps({key: round(float(value), 3) for key, value in told.items()}), flush=True)
        if told["share"] >= WANTED and (best is None or told["better"] > best["better"]):
            best = told
    for name, tint in (("grey", [0.0, 0.0]), ("tint", [2.0, 8.0])):
        error = math.sqrt(np.square(truth - tint).sum(-1).mean())
        print(f"{name}: error {error:.3f}")
    print(f"taken: {best}")
    colouriser.write(network, best["sharpness"], best["caution"], best["gain"], out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["see", "train", "settle"])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--from", dest="start")
    given = parser.parse_args()
    if given.step == "see":
        see(*given.paths, given.seed)
    elif given.step == "train":
        train(*given.paths, given.epochs, given.rate, given.start)
    else:
        settle(*given.paths)


if __name__ == "__main__":
    main()
