"""Trains a small network that removes noise or blur, or upscales, and writes it as ONNX.

    python repair.py denoise|deblur|upscale PHOTOGRAPHS OUT.onnx [--steps N] [--from CHECKPOINT]

A checkpoint lies beside the result (OUT.pt) and is written now and then, the ONNX file too; the same seed
gives the same photographs in the same order.
"""

import argparse
import copy
import math
import time

import numpy as np
import torch
from torch.nn import functional

import damage
import photographs
from network import Repairer, write

SEED = 20260101
BATCH = 32
# Weights are averaged over about so many steps; the average is better than the last.
AVERAGED_OVER = 500

# planes, fold, scale, told: see `Repairer`. side: of a clean patch in pixels.
KINDS = {
    "denoise": dict(
        network=dict(planes=3, fold=2, scale=1, told=1, channels=64, blocks=6),
        side=64,
        damage=damage.noised,
    ),
    "deblur": dict(
        network=dict(planes=1, fold=2, scale=1, told=1, channels=64, blocks=6),
        side=64,
        damage=damage.blurred,
    ),
    "upscale": dict(
        network=dict(planes=1, fold=1, scale=4, told=0, channels=64, blocks=6),
        side=80,
        damage=lambda images, random: damage.small(images, 4),
    ),
}


def rate(step, steps):
    """A short start, then a cosine down to nearly nothing."""
    return min(1.0, (step + 1) / 100) * (0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2)


def decibels(network, kind, pictures, seed):
    """The mean PSNR on held-out patches."""
    random = np.random.default_rng(seed)
    images = photographs.patches(pictures, kind["side"], 128, random)
    clean, damaged, strength = kind["damage"](images, random)
    with torch.no_grad():
        error = (network(damaged, strength).clamp(0, 1) - clean).square().mean((1, 2, 3))
    return (-10 * torch.log10(error + 1e-10)).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("photographs")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--from", dest="start")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    kind = KINDS[given.kind]
    torch.manual_seed(given.seed)
    random = np.random.default_rng(given.seed)
    network = Repairer(**kind["network"])
    if given.start:
        network.load_state_dict(torch.load(given.start, weights_only=True))
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    count = sum(weight.numel() for weight in network.parameters())
    print(f"{given.kind}: {count:,} weights", flush=True)
    pictures = photographs.reduced(given.photographs, False, kind["side"], given.seed)
    held_out = photographs.reduced(given.photographs, True, kind["side"], given.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=given.rate)
    began, losses = time.monotonic(), []
    for step in range(given.steps):
        for group in optimiser.param_groups:
            group["lr"] = given.rate * rate(step, given.steps)
        images = photographs.patches(pictures, kind["side"], BATCH, random)
        clean, damaged, strength = kind["damage"](images, random)
        with torch.autocast("cpu", torch.bfloat16):
            repaired = network(damaged, strength)
        loss = functional.l1_loss(repaired.float(), clean)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimiser.step()
        keep = min(1 - 1 / AVERAGED_OVER, step / (step + 20))
        with torch.no_grad():
            for held, weight in zip(average.parameters(), network.parameters()):
                held.lerp_(weight, 1 - keep)
        losses.append(loss.item())
        if (step + 1) % 200 == 0 or step + 1 == given.steps:
            torch.save(average.state_dict(), given.out.removesuffix(".onnx") + ".pt")
            write(average, given.kind, given.out)
            gained = decibels(average, kind, held_out, given.seed)
            told = f"loss {np.mean(losses):.5f}, held out {gained:.2f} dB"
            print(f"{step + 1} of {given.steps}: {told}, {time.monotonic() - began:.0f} s", flush=True)
            losses = []


if __name__ == "__main__":
    main()
