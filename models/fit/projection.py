"""Fits the projection by which a network's embedding becomes the 128 numbers that are kept.

    python projection.py NETWORK.onnx OUT.projection < TESTIMONY.jsonl

TESTIMONY is what the example `testimony` prints of many photographs of all sorts; NETWORK is the
file that gave the embeddings. Needs numpy; the same input gives the same bytes up to its linear
algebra, so a projection that was fitted anew is another space.

The values are pooled after a ReLU, so none is negative: of their square roots, as in the Hellinger
distance, the principal components are taken, the most telling first. Compared on photographs that
it was not fitted on (share of the 5 nearest with the same class, and how many of the 10 nearest by
all 1280 values are among the 10 nearest by what is kept): random signs do worse at 128 numbers than
components at 64; whitening, and components of the classifier's own weights, do not pay; rounding
the components and what comes out to 8 bits costs nothing.

models/src/labeller/projection.rs reads the file and describes it; a change there is one here.
"""

import hashlib
import json
import sys

import numpy as np

KEPT = 128


def main():
    network, target = sys.argv[1:]
    told = (json.loads(line).get("embedding") for line in sys.stdin)
    roots = np.sqrt(np.array([values for values in told if values], dtype=np.float64))
    if len(roots) < 10 * KEPT:
        sys.exit(f"{len(roots)} photographs with an embedding are too few")
    mean = roots.mean(axis=0)
    variances, components = np.linalg.eigh(np.cov(roots, rowvar=False))
    variances, components = variances[::-1], components.T[::-1][:KEPT]
    # A component and its opposite are the same one; which is given is left to chance otherwise.
    components *= np.sign(components[np.arange(KEPT), np.abs(components).argmax(axis=1)])[:, None]
    steps = np.abs(components).max(axis=1) / 127
    rounded = np.round(components / steps[:, None])
    with open(network, "rb") as file:
        digest = hashlib.sha256(file.read()).digest()
    with open(target, "wb") as file:
        file.write(b"glassplate projection 1\n")
        file.write(digest)
        file.write(np.array([len(mean)], dtype="<u4").tobytes())
        file.write(mean.astype("<f4").tobytes())
        file.write(steps.astype("<f4").tobytes())
        file.write(rounded.astype("i1").tobytes())
    share = variances[:KEPT].sum() / variances.sum()
    print(f"{len(roots)} photographs, {share:.3f} of the variance kept", file=sys.stderr)


if __name__ == "__main__":
    main()
