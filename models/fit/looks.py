"""Fits what an embedding says of the place: taxonomy/looks.tsv.

    python looks.py PHOTOGRAPHS.csv NETWORK.projection < TESTIMONY.jsonl > ../taxonomy/looks.tsv

PHOTOGRAPHS.csv has the columns `file`, `kind` and `class`; TESTIMONY is what the example `testimony` prints of those
photographs with the card efficientnet-lite0. Classes that stand in LOOKS are told apart by a multinomial logistic
regression on embeddings as they are kept; all other photographs are "elsewhere", so that most places look like none
of these. Needs numpy and scipy. How many of one in five, held out, are right is on stderr.

models/src/interpret/looks.rs reads the table; a change there is one here.
"""

import csv
import hashlib
import json
import pathlib
import sys

import numpy as np
from scipy.optimize import minimize

MODEL = "efficientnet-lite0"
# A class of the photographs, and the scenes of Places365 that look so.
LOOKS = {
    "bathroom": "bathroom, shower",
    "bedroom": "bedroom, hotel_room, dorm_room, bedchamber",
    "dining_room": "dining_room, dining_hall",
    "entrance_hall": "entrance_hall, corridor, lobby",
    "kitchen": "kitchen, galley",
    "living_room": "living_room, television_room",
    "buildings": "skyscraper, downtown, office_building, building_facade, apartment_building/outdoor, tower, hotel/outdoor",
    "forest": "forest/broadleaf, forest_path, forest_road, rainforest, bamboo_forest",
    "glacier": "glacier, ice_floe, snowfield, iceberg, ice_shelf, mountain_snowy",
    "mountain": "mountain, mountain_snowy, valley, cliff, canyon, mountain_path",
    "sea": "ocean, beach, coast, wave",
    "street": "street, downtown, crosswalk, alley, residential_neighborhood, plaza",
    "n03028079": "church/outdoor",
    "n03425413": "gas_station",
}
NAMES = {"n03028079": "church", "n03425413": "gas station"}
ELSEWHERE = "elsewhere"
PENALTY = 1e-3
# Embeddings are directions; of length 1 their values are small against the penalty.
LENGTH = 10


def projected(values, path):
    """Embeddings as models/src/labeller/projection.rs keeps them, and the space they are in."""
    told = path.read_bytes()
    at = len(b"glassplate projection 1\n") + 32
    count = int(np.frombuffer(told[at : at + 4], "<u4")[0])
    at += 4
    mean = np.frombuffer(told[at : at + 4 * count], "<f4")
    at += 4 * count
    steps = np.frombuffer(told[at : at + 512], "<f4")
    components = np.frombuffer(told[at + 512 :], "i1").reshape(128, count).astype(np.float64)
    kept = (np.sqrt(np.maximum(values, 0)) - mean) @ components.T * steps
    space = f"{MODEL}/{hashlib.sha256(told).hexdigest()[:12]}"
    return np.round(kept / np.abs(kept).max(1, keepdims=True) * 127), space


def terms(embeddings):
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.c_[np.ones(len(embeddings)), LENGTH * embeddings / lengths]


def log_softmax(z):
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


def fitted(terms, classes, count):
    def loss(weights):
        weights = weights.reshape(count, -1)
        share = log_softmax(terms @ weights.T)
        off = np.exp(share)
        off[np.arange(len(classes)), classes] -= 1
        held = np.c_[np.zeros(count), weights[:, 1:]]
        gradient = off.T @ terms / len(classes) + PENALTY * held
        won = -share[np.arange(len(classes)), classes].mean()
        return won + PENALTY / 2 * (held**2).sum(), gradient.ravel()

    start = np.zeros(count * terms.shape[1])
    options = {"maxiter": 400}
    return minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x.reshape(count, -1)


def main():
    photographs, projection = map(pathlib.Path, sys.argv[1:])
    with open(photographs, encoding="utf-8", newline="") as table:
        class_of = {pathlib.Path(row["file"]).name: row["class"] for row in csv.DictReader(table)}
    told = [json.loads(line) for line in sys.stdin]
    told = [line for line in told if line.get("embedding") and pathlib.Path(line["path"]).name in class_of]
    order = [*sorted(LOOKS), ELSEWHERE]
    look = [class_of[pathlib.Path(line["path"]).name] for line in told]
    classes = np.array([order.index(each if each in LOOKS else ELSEWHERE) for each in look])
    embeddings, space = projected(np.array([line["embedding"] for line in told], np.float64), projection)
    all_terms = terms(embeddings)
    held = np.random.RandomState(0).rand(len(classes)) < 0.2
    tried = fitted(all_terms[~held], classes[~held], len(order))
    right = (all_terms[held] @ tried.T).argmax(1) == classes[held]
    print(f"{len(classes)} photographs; of {held.sum()} held out {right.mean():.3f} right", file=sys.stderr)
    weights = fitted(all_terms, classes, len(order))
    print("# What a picture's embedding says of the place. Written by fit/looks.py, which says what each number means;")
    print("# do not edit. Fitted on the photographs that models/train/README.md names, none of which is here. Columns:")
    print("# look, its scenes, the constant, a weight for each value of an embedding of length 10.")
    print(f"space\t{space}")
    for name, row in zip(order, weights):
        numbers = " ".join(f"{value:.3f}" for value in row[1:])
        print(f"{NAMES.get(name, name.replace('_', ' '))}\t{LOOKS.get(name, '')}\t{row[0]:.3f}\t{numbers}")


if __name__ == "__main__":
    main()
