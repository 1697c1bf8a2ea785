"""Fits the weights by which claims are read: taxonomy/weights.toml.

    python fit.py COLOUR.jsonl GREY.jsonl LABELS.csv... > ../taxonomy/weights.toml

The first two are what the example `testimony` prints of the same pictures, as they are and with
the colour taken out. LABELS are tables with a `file` column and `objects` (all of COCO's classes, as
`name:count|...`), or `scenes_accepted`, `io` and `concepts`, or `places365_accepted` of pictures that
never had colour. Needs numpy and scipy. Every figure on
stderr is cross-validated: eight folds over pictures, weights from the others.

The terms here are those of models/src/interpret; a change there is a change here.
"""

import collections
import csv
import json
import pathlib
import sys

import numpy as np
from scipy.optimize import minimize

import looks

TAXONOMY = pathlib.Path(__file__).parent.parent / "taxonomy"
PROJECTION = TAXONOMY.parent / "projections/efficientnet-lite0.projection"
DETECTORS = {"picodet-s-416": 0.08, "yolox-nano": 0.02, "nanodet": 0.10}  # with their cards' keep_above
CLASSIFIER, SCENE_NETWORK = "efficientnet-lite0", "squeezenet-places365"
LEAST_SCENE = 5e-4  # a scene network's share that counts as nothing
LEAST_LOOK = 0.05  # the same of a look
LEAST_TOLD = 2e-4  # a look less likely than this is not told
LEAST_THING = 0.03  # a thing less likely than this says nothing about scenes and concepts
POWER = 0.7  # a classifier's probability counts as its power: it is spread too thin over what it sees
OF_WRITTEN = [0.0, 0.4, 1.2, 2.4, 4.0]  # what the written strengths of concepts come to
FOLDS, REPEATS = 8, 2


def rows(name):
    text = (TAXONOMY / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def note(*words):
    print(*words, file=sys.stderr)


OBJECTS = {row[0]: row for row in rows("objects.tsv")}


def ancestors(synset):
    """All broader synsets, the nearest first."""
    found, queue = [], [synset]
    while queue:
        for broader in OBJECTS[queue.pop(0)][2].split(","):
            if broader and broader not in found:
                found.append(broader)
                queue.append(broader)
    return found


SCENES = rows("scenes.tsv")
SCENE_AT = {row[0]: at for at, row in enumerate(SCENES)}
SCENE_NAMED = {row[1]: at for at, row in enumerate(SCENES)}
INDOOR = np.array([row[2] == "indoor" for row in SCENES])
GROUPS = [row[4] for row in SCENES]
CLASSES = [tuple(row) for row in rows("imagenet-1k.tsv")]
THINGS = [tuple(row) for row in rows("coco-80.tsv")]
CONCEPTS = rows("concepts.tsv")
COMMONNESS = np.array([float(row[4]) for row in CONCEPTS])


def lineage(synset, name):
    if synset.startswith("~"):
        return [synset[0] + name, synset[1:], *ancestors(synset[1:])]
    return [synset, *ancestors(synset)]


CLASS_LINES = [lineage(*one) for one in CLASSES]
THING_LINES = [lineage(*one) for one in THINGS]
CLASS_NAMED = {}
for at, (_, name) in enumerate(CLASSES):
    CLASS_NAMED.setdefault(name, at)
THING_NAMED = {name: at for at, (_, name) in enumerate(THINGS)}
# IMPLIES[class, thing]: the class is a kind of the thing.
IMPLIES = np.array(
    [[float(THINGS[t][0] in CLASS_LINES[c]) for t in range(80)] for c in range(1000)]
)
CAN_IMPLY = IMPLIES.sum(0) > 0


def scene_strengths():
    """Strengths by which a thing speaks for each scene, from the nearest row of its line."""
    table = {}
    for row in rows("object-scenes.tsv"):
        strengths = np.zeros(365)
        for rule in (row[2] if len(row) > 2 else "").split(","):
            if not rule.strip():
                continue
            what, strength = rule.strip().rsplit(" ", 1)
            if what in ("@indoor", "@outdoor"):
                strengths += float(strength) * (INDOOR == (what == "@indoor"))
            elif what.startswith("@"):
                strengths += float(strength) * np.array([group == what[1:] for group in GROUPS])
            else:
                strengths[SCENE_AT[what]] += float(strength)
        table[row[0]] = strengths

    def of(line):
        # A class marked ~ has a row of its own or none: its broader term is too broad.
        if line[0].startswith("~"):
            return table.get(line[0], np.zeros(365))
        return next((table[synset] for synset in line if synset in table), np.zeros(365))

    return np.array([of(line) for line in CLASS_LINES]), np.array([of(l) for l in THING_LINES])


def concept_strengths():
    """Strengths by which scenes, classes and things speak for each concept."""
    scenes = np.zeros((len(CONCEPTS), 365))
    classes, things = np.zeros((len(CONCEPTS), 1000)), np.zeros((len(CONCEPTS), 80))
    named = collections.defaultdict(list)
    for synset, row in OBJECTS.items():
        named[row[1]].append(synset)
    at = {row[0]: c for c, row in enumerate(CONCEPTS)}
    for name, text in rows("concept-rules.tsv"):
        groups, settings, concept = np.zeros(365), np.zeros(365), at[name]
        for rule in text.split(","):
            what, strength = rule.strip().rsplit(" ", 1)
            kind, what = what.split(":", 1)
            strength = np.copysign(OF_WRITTEN[abs(int(strength))], int(strength))
            if kind == "scene":
                scenes[concept, SCENE_AT[what]] = strength
            elif kind == "group":
                groups += strength * np.array([group == what for group in GROUPS])
            elif kind == "setting":
                settings += strength * (INDOOR == (what == "indoor"))
            else:
                synsets = [what] if what in OBJECTS else named[what]
                for lines, into in ((CLASS_LINES, classes), (THING_LINES, things)):
                    for k, line in enumerate(lines):
                        names = line[0] == "~" + what or any(s in line for s in synsets)
                        if names and abs(strength) > abs(into[concept, k]):
                            into[concept, k] = strength
        # What is said of a scene itself goes before its group, and its group before its setting.
        empty = scenes[concept] == 0
        scenes[concept, empty] = np.where(groups != 0, groups, settings)[empty]
    return scenes, classes, things


CLASS_SCENES, THING_SCENES = scene_strengths()
SCENE_CONCEPTS, CLASS_CONCEPTS, THING_CONCEPTS = concept_strengths()


def log_odds(p, least=1e-4):
    p = np.clip(p, least, 1 - 1e-4)
    return np.log(p / (1 - p))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_softmax(z):
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


def logistic(features, truth, penalty=1.0, prior=None):
    """Weights of a logistic regression; the first is the constant, which is not held back."""
    features, truth = features.reshape(-1, features.shape[-1]), truth.reshape(-1)
    prior = np.zeros(features.shape[1]) if prior is None else prior
    held = np.r_[0, np.ones(features.shape[1] - 1)] * penalty

    def loss(weights):
        z, off = features @ weights, weights - prior
        gradient = features.T @ (sigmoid(z) - truth) + held * off
        return (np.logaddexp(0, z) - truth * z).sum() + (held * off**2).sum() / 2, gradient

    return minimize(loss, prior, jac=True, method="L-BFGS-B").x


def conditional(features, accepted, penalty=0.002):
    """Weights under which the accepted scenes take most of the softmax."""
    count = len(features)

    def loss(weights):
        share = log_softmax(features @ weights)
        won = np.logaddexp.reduce(np.where(accepted > 0, share, -1e9), axis=1)
        among = np.where(accepted > 0, np.exp(share - won[:, None]), 0)
        gradient = -np.einsum("ns,nsk->k", among - np.exp(share), features)
        return -won.sum() + penalty * count * (weights**2).sum(), gradient + 2 * penalty * count * weights

    return minimize(loss, np.zeros(features.shape[-1]), jac=True, method="L-BFGS-B").x


def folds(count):
    for seed in range(REPEATS):
        fold = np.random.RandomState(seed).randint(0, FOLDS, count)
        for k in range(FOLDS):
            yield seed, fold != k, fold == k


def looked(values):
    """What embeddings give each scene, by taxonomy/looks.tsv."""
    (_, space), *table = rows("looks.tsv")
    embeddings, ours = looks.projected(values, PROJECTION)
    assert ours == space, "looks.tsv is of another projection"
    weights = np.array([[float(n) for n in (constant, *numbers.split(" "))] for *_, constant, numbers in table])
    share = np.exp(looks.log_softmax(looks.terms(embeddings) @ weights.T))
    scenes = np.zeros((len(values), 365))
    for look, row in zip(share.T, table):
        for key in filter(None, row[1].split(", ")):
            scenes[:, SCENE_AT[key]] = np.maximum(scenes[:, SCENE_AT[key]], np.where(look < LEAST_TOLD, 0, look))
    return scenes


class Pictures:
    """What was said of some pictures, as arrays."""

    def __init__(self, lines):
        self.located = {name: np.zeros((len(lines), 80, 2)) for name in DETECTORS}
        self.whole, self.places = np.zeros((len(lines), 1000)), np.zeros((len(lines), 365))
        self.looks = looked(np.array([line["embedding"] for line in lines], np.float64))
        self.monochrome = np.array([line["monochrome"] for line in lines])
        for name, least in DETECTORS.items():
            self.located[name][:, :, 0] = least / 1.5
        for k, line in enumerate(lines):
            for name in DETECTORS:
                for _, label, confidence, instances in line["said"].get(name, []):
                    others = sum(each["confidence"] for each in instances[1:])
                    self.located[name][k, THING_NAMED[label]] = confidence, others
            for _, label, confidence, _ in line["said"][CLASSIFIER]:
                self.whole[k, CLASS_NAMED[label]] = confidence
            for _, label, confidence, _ in line["said"].get(SCENE_NETWORK, []):
                self.places[k, SCENE_NAMED[label]] = confidence
        self.supported = self.whole @ IMPLIES

    def seen_by(self, name):
        """A detector's terms for each thing: constant, log-odds, further instances."""
        confidence, others = self.located[name][:, :, 0], self.located[name][:, :, 1]
        return np.stack([np.ones_like(others), log_odds(confidence), np.log1p(others)], -1)


def f1(p, truth, bar=0.4):
    hit = ((p >= bar) & (truth > 0)).sum()
    return 2 * hit / ((p >= bar).sum() + truth.sum())


def calibration_error(p, truth, bins=15):
    order = np.argsort(p)
    parts = np.array_split(order, bins)
    return sum(abs(p[k].mean() - truth[k].mean()) * len(k) for k in parts) / len(p)


def support(pictures):
    return np.where(CAN_IMPLY, np.log((pictures.supported + 0.01) / 0.01), 0)


def both(colour, grey):
    return np.concatenate([colour, grey])


def fit_detectors(colour, grey, truth):
    """Each detector alone, calibrated on pictures in colour and in grey together."""
    truth = both(truth, truth)
    return {
        name: logistic(both(colour.seen_by(name), grey.seen_by(name)), truth) for name in DETECTORS
    }


def fusion_terms(pictures, names, alone):
    total = sum(pictures.seen_by(name) @ alone[name] for name in names)
    # What no detector tells at all is rarer than its floor says.
    told = np.any([pictures.located[name][:, :, 0] >= DETECTORS[name] for name in names], axis=0)
    return np.stack([np.ones_like(total), total, support(pictures), told], -1)


COMBINATIONS = {1: [["picodet-s-416"], ["yolox-nano"], ["nanodet"]],
                2: [["picodet-s-416", "yolox-nano"], ["picodet-s-416", "nanodet"], ["yolox-nano", "nanodet"]],
                3: [list(DETECTORS)]}


def fit_fusion(colour, grey, truth, alone):
    """For one, two and three detectors: constant, share of the sum, classifier's support, told at all."""
    out = {}
    for count, combinations in COMBINATIONS.items():
        terms = [fusion_terms(p, names, alone) for names in combinations for p in (colour, grey)]
        out[count] = logistic(np.concatenate(terms), np.concatenate([truth] * len(terms)))
    return out


def subset(pictures, kept):
    part = object.__new__(Pictures)
    part.located = {name: values[kept] for name, values in pictures.located.items()}
    part.whole, part.places = pictures.whole[kept], pictures.places[kept]
    part.looks = pictures.looks[kept]
    part.supported, part.monochrome = pictures.supported[kept], pictures.monochrome[kept]
    return part


def objects(colour, grey, truth, quoted):
    for names in COMBINATIONS[1] + COMBINATIONS[2] + COMBINATIONS[3]:
        figures = []
        for seed in range(REPEATS):
            p, p_grey = np.zeros(truth.shape), np.zeros(truth.shape)
            for its, train, test in folds(len(truth)):
                if its != seed:
                    continue
                parts = subset(colour, train), subset(grey, train), truth[train]
                alone = fit_detectors(*parts)
                weights = fit_fusion(*parts, alone)[len(names)]
                p[test] = sigmoid(fusion_terms(subset(colour, test), names, alone) @ weights)
                p_grey[test] = sigmoid(fusion_terms(subset(grey, test), names, alone) @ weights)
            told = fusion_terms(colour, names, alone)[quoted][:, :, 3] > 0
            kept = told & (p[quoted] > 0.02)
            figures.append((
                f1(p[quoted], truth[quoted]), f1(p_grey[quoted], truth[quoted]),
                calibration_error(p[quoted][kept], truth[quoted][kept]),
            ))
        note("objects", "+".join(names), "F1, grey, calibration:", np.round(np.mean(figures, 0), 3))
    alone = fit_detectors(colour, grey, truth)
    fusion = fit_fusion(colour, grey, truth, alone)
    # The classifier alone: how often what it implies is there, by what it gives it.
    implied = both(colour.supported, grey.supported)[:, CAN_IMPLY]
    there = both(truth, truth)[:, CAN_IMPLY]
    claimed = implied >= 0.002
    terms = np.stack([np.ones(claimed.sum()), log_odds(implied[claimed])], -1)
    single = logistic(terms, there[claimed])
    # What a picture in one tone changes: another constant and slope for the log-odds found.
    z = fusion_terms(grey, ["picodet-s-416", "yolox-nano"], alone) @ fusion[2]
    monochrome = logistic(np.stack([np.ones_like(z), z], -1), truth, 4.0, np.array([0.0, 1.0]))
    return alone, fusion, single, monochrome


def things(pictures, alone, fusion, names):
    p = sigmoid(fusion_terms(pictures, names, alone) @ fusion[len(names)])
    return np.where(p < LEAST_THING, 0, p)


def scene_terms(pictures, p, eyes):
    seen = {"network": (pictures.places, LEAST_SCENE), "looks": (pictures.looks, LEAST_LOOK)}
    terms = [np.log(seen[eyes][0] + seen[eyes][1]) - np.log(seen[eyes][1])] if eyes else []
    return np.stack([*terms, p @ THING_SCENES, pictures.whole**POWER @ CLASS_SCENES], -1)


def share_outdoor(share):
    return log_odds((share @ ~INDOOR) / share.sum(1), 0.01)


def setting_terms(pictures, share, eyes):
    terms = [np.ones(len(share)), share_outdoor(share)]
    if eyes:
        terms.append(share_outdoor((pictures.places if eyes == "network" else pictures.looks) + 1e-6))
    return np.stack(terms, -1)


def with_setting(share, outdoor):
    """Gives all outdoor scenes together the share that the setting has."""
    out = share @ ~INDOOR
    scale = np.where(~INDOOR[None], (outdoor / out)[:, None], ((1 - outdoor) / (1 - out))[:, None])
    return share * scale


def scene_shares(pictures, p, eyes, weights):
    share = np.exp(log_softmax(scene_terms(pictures, p, eyes) @ weights["scene"]))
    outdoor = sigmoid(setting_terms(pictures, share, eyes) @ weights["setting"])
    return with_setting(share, outdoor), outdoor


def fit_scenes(pictures, p, grey, p_grey, accepted, outdoors, eyes):
    weights = {"scene": conditional(scene_terms(pictures, p, eyes), accepted)}
    terms = []
    for each, found in ((pictures, p), (grey, p_grey)):
        share = np.exp(log_softmax(scene_terms(each, found, eyes) @ weights["scene"]))
        terms.append(setting_terms(each, share, eyes))
    weights["setting"] = logistic(np.concatenate(terms), both(outdoors, outdoors), 0.3)
    share, _ = scene_shares(pictures, p, eyes, weights)
    kept = ranked(share)
    terms = np.stack([np.ones(kept.sum()), log_odds(share[kept])], -1)
    weights["accepted"] = logistic(terms, accepted[kept])
    return weights


def ranked(share, most=12):
    """The scenes that are kept: the first twelve of each picture."""
    kept = np.zeros(share.shape, bool)
    np.put_along_axis(kept, np.argsort(-share, axis=1)[:, :most], True, axis=1)
    return kept


def concept_terms(pictures, p, share):
    seen = (p[:, None, :] * np.clip(THING_CONCEPTS, 0, None)[None]).max(2)
    ones = np.ones((len(p), len(CONCEPTS)))
    terms = [ones, ones * COMMONNESS, share @ SCENE_CONCEPTS.T]
    return np.stack([*terms, pictures.whole**POWER @ CLASS_CONCEPTS.T, seen], -1)


def top_five(share, accepted):
    order = np.argsort(-share, axis=1)
    hits = np.take_along_axis(accepted, order, 1)
    return hits[:, 0].mean(), (hits[:, :5].sum(1) > 0).mean()


def best_recall(p, truth, others, least_precision=0.40, most=8):
    """The recall of the first eight at the bar that keeps the precision."""
    found = (0.0, 0.0, 0.0)
    for bar in np.linspace(0.1, 0.6, 101):
        shown = (p >= bar) & ranked(p, most)
        hits = (shown & (truth > 0)).sum()
        precision, recall = hits / max(shown.sum(), 1), hits / (truth.sum() + others)
        if precision >= least_precision and recall > found[0]:
            found = recall, precision, bar
    return found


def scenes_and_concepts(colour, grey, accepted, outdoors, concepts, others, alone, fusion, born):
    out = {}
    for key, names, eyes in (
        ("with_network", ["picodet-s-416", "yolox-nano"], "network"),
        ("with_looks", ["picodet-s-416", "yolox-nano"], "looks"),
        ("without_network", ["nanodet"], None),
    ):
        p, p_grey = (things(x, alone, fusion, names) for x in (colour, grey))
        figures = []
        for seed in range(REPEATS):
            share, outdoor = np.zeros(accepted.shape), np.zeros(len(p))
            likely, sure = np.zeros(concepts.shape), np.zeros(accepted.shape)
            for its, train, test in folds(len(p)):
                if its != seed:
                    continue
                part = subset(colour, train)
                weights = fit_scenes(part, p[train], subset(grey, train), p_grey[train], accepted[train],
                                     outdoors[train], eyes)
                rest = subset(colour, test)
                share[test], outdoor[test] = scene_shares(rest, p[test], eyes, weights)
                sure[test] = sigmoid(weights["accepted"][0] + weights["accepted"][1] * log_odds(share[test]))
                trained, _ = scene_shares(part, p[train], eyes, weights)
                known = logistic(concept_terms(part, p[train], trained), concepts[train])
                likely[test] = sigmoid(concept_terms(rest, p[test], share[test]) @ known)
            kept = ranked(share)
            figures.append((
                *top_five(share, accepted), ((outdoor > 0.5) == outdoors).mean(),
                calibration_error(sure[kept], accepted[kept]), *best_recall(likely, concepts, others),
            ))
        note("scenes", key, "top-1, top-5, in/out, calibration; concepts: recall, precision, bar:",
             np.round(np.mean(figures, 0), 3))
        weights = fit_scenes(colour, p, grey, p_grey, accepted, outdoors, eyes)
        share, _ = scene_shares(colour, p, eyes, weights)
        share_grey, _ = scene_shares(grey, p_grey, eyes, weights)
        # Pictures that never had colour are of other kinds than copies: both are fitted on.
        born_grey, born_accepted = born
        shares = [share_grey]
        if len(born_accepted):
            shares.append(scene_shares(born_grey, things(born_grey, alone, fusion, names), eyes, weights)[0])
            note("  born grey, top-1, top-5", np.round(top_five(shares[1], born_accepted), 3))
        truths = np.concatenate([accepted, born_accepted])
        shares = np.concatenate(shares)
        kept = ranked(shares)
        terms = np.stack([np.ones(kept.sum()), log_odds(shares[kept])], -1)
        weights["accepted_monochrome"] = logistic(terms, truths[kept])
        note("  grey copies, weights fitted on the coloured: top-1, top-5",
             np.round(top_five(share_grey, accepted), 3))
        weights["concept"] = logistic(concept_terms(colour, p, share), concepts)
        out[key] = weights
    return out


def concept_names():
    known = {}
    for at, row in enumerate(CONCEPTS):
        known[row[0]] = at
    for at, row in enumerate(CONCEPTS):
        for synonym in row[1].split("|"):
            known.setdefault(synonym, at)
    return known


def read_labels(paths, at):
    """Finds each table's pictures among those in the testimony, by the end of their paths."""
    coco, scenes, born = [], [], []
    names = {row["name"]: k for k, row in enumerate(THING_ROWS)}
    known = concept_names()
    for path in paths:
        for row in csv.DictReader(open(path, encoding="utf-8")):
            k = at(path, row["file"])
            if k is None:
                continue
            if "scenes_accepted" in row:
                accepted, concepts = np.zeros(365), np.zeros(len(CONCEPTS))
                for scene in row["scenes_accepted"].split("|"):
                    if scene in SCENE_AT:
                        accepted[SCENE_AT[scene]] = 1
                words = {word for word in row["concepts"].split("|") if word}
                for word in words & known.keys():
                    concepts[known[word]] = 1
                scenes.append((k, accepted, row["io"] == "outdoor", concepts, len(words - known.keys())))
            elif "places365_accepted" in row:
                accepted = np.zeros(365)
                accepted[[SCENE_AT[scene] for scene in row["places365_accepted"].split("|")]] = 1
                born.append((k, accepted))
            elif "origin" in row:
                truth = np.zeros(80)
                for entry in filter(None, row["objects"].split("|")):
                    truth[names[entry.split(":")[0]]] = 1
                coco.append((k, truth, row["origin"] == "val2017"))
    return coco, scenes, born


# COCO's own names, in the order of coco-80.tsv.
COCO_SAYS = {"necktie": "tie", "ski": "skis", "television": "tv", "computer mouse": "mouse",
             "remote control": "remote", "computer keyboard": "keyboard",
             "mobile phone": "cell phone", "hair dryer": "hair drier"}
THING_ROWS = [{"name": COCO_SAYS.get(name, name)} for _, name in THINGS]


def numbers(values):
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"


def main():
    colour_path, grey_path, *tables = sys.argv[1:]
    lines = [json.loads(line) for line in open(colour_path, encoding="utf-8")]
    greys = [json.loads(line) for line in open(grey_path, encoding="utf-8")]
    assert [line["path"] for line in lines] == [line["path"] for line in greys]
    by_path = {pathlib.Path(line["path"]): k for k, line in enumerate(lines)}

    def at(table, file):
        folder = pathlib.Path(table).resolve().parent
        return by_path.get(folder / file, by_path.get(folder.parent / file))

    colour, grey = Pictures(lines), Pictures(greys)
    coco, scenes, born = read_labels(tables, at)
    picked = np.array([k for k, *_ in coco])
    truth, quoted = np.array([t for _, t, _ in coco]), np.array([v for *_, v in coco])
    note(len(coco), "pictures with objects,", quoted.sum(), "of them quoted;", len(scenes), "with scenes")
    alone, fusion, single, monochrome = objects(subset(colour, picked), subset(grey, picked), truth, quoted)
    picked = np.array([k for k, *_ in scenes])
    accepted, concepts = (np.array([row[at] for row in scenes]) for at in (1, 3))
    outdoors = np.array([float(row[2]) for row in scenes])
    read = scenes_and_concepts(subset(colour, picked), subset(grey, picked), accepted, outdoors, concepts,
                               sum(row[4] for row in scenes), alone, fusion,
                               (subset(colour, np.array([k for k, _ in born], int)),
                                np.array([a for _, a in born]).reshape(-1, 365)))
    print("# How much each claim weighs. Written by fit/fit.py, which says what each number means; do not edit.\n")
    print("[detectors]  # constant, log-odds of the best instance, ln(1 + sum of the others)")
    for name, weights in alone.items():
        print(f'"{name}" = {{ least = {DETECTORS[name]}, weights = {numbers(weights)} }}')
    print("\n[fusion]  # constant, share of the detectors' sum, ln((p + 0.01) / 0.01) of what a classifier implies, told at all")
    for count, word in ((1, "one"), (2, "two"), (3, "three")):
        print(f"{word} = {numbers(fusion[count])}")
    print(f"monochrome = {numbers(monochrome)}  # constant, share of the log-odds found, in pictures without colour")
    print("\n[classifier]  # constant, log-odds of what it implies, when it alone speaks")
    print(f"single = {numbers(single)}")
    for key, weights in read.items():
        print(f"\n[{key}]")
        eyes = {"with_network": ("network, ", ", the network's"), "with_looks": ("looks, ", ", the looks'")}
        first, last = eyes.get(key, ("", ""))
        parts = ("scene", first + "things, classes"), (
            "setting", "constant, scenes' outdoor log-odds" + last), (
            "accepted", "constant, log-odds of the share"), (
            "accepted_monochrome", "the same for pictures without colour"), ("concept", "constant, commonness, scenes, classes, things")
        for part, meaning in parts:
            print(f"{part} = {numbers(weights[part])}  # {meaning}")


if __name__ == "__main__":
    main()
