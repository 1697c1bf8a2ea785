"""Measures the search over HTTP: python3 tests/load/search.py [URL [DIFFERENT]]

Takes words and labels in use from a running `glassplate serve` (default http://127.0.0.1:8080), makes
20,000 queries of them by Zipf's law, seeded, and lets wrk (a Debian package) ask them over 32
connections as fast as the server answers: once as it is, once when all were asked before. With
DIFFERENT only so many different queries are asked, the most frequent ones. bench-search fills a home
with made-up records to serve.
"""

import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

ASK = "facets=object,scene,concept,collection,decade,format,tone,orientation,state&limit=20"
SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def paths(server):
    """20,000 addresses: single words, labels, pairs, words with dates."""
    words = set()
    for first in "abcdefghijklmnopqrstuvwxyz":
        for second in "aeiou":
            found = get(f"{server}/v1/suggest?q={first}{second}&limit=20")["suggestions"]
            words.update((s["count"], s["text"]) for s in found if s["of"] == "word")
    labels = [(label["count"], label["name"]) for label in get(f"{server}/v1/labels?limit=1000")["labels"]]
    words = [text for _, text in sorted(words, reverse=True)][:600]
    labels = [name for _, name in sorted(labels, reverse=True)][:300]
    chance = random.Random(1)

    def zipf(of):
        return of[min(len(of) - 1, int((len(of) + 1) ** chance.random() - 1))]

    made = []
    for _ in range(20_000):
        kind = chance.random()
        if kind < 0.4:
            query = zipf(words)
        elif kind < 0.7:
            query = zipf(labels)
        elif kind < 0.85:
            query = f"{zipf(words)} {zipf(words)}"
        elif kind < 0.95:
            query = f"{zipf(labels)} {zipf(words)}"
        else:
            query = f"{zipf(words)} date:1930..1939"
        made.append(f"/v1/search?q={urllib.parse.quote(query)}&{ASK}")
    return made


def main():
    server = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    asked = paths(server)
    if len(sys.argv) > 2:
        kept = {path for path, _ in collections.Counter(asked).most_common(int(sys.argv[2]))}
        asked = [path for path in asked if path in kept]
    print(f"{len(asked)} queries, {len(set(asked))} different", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder, "paths")
        listed.write_text("\n".join(asked) + "\n")
        script = pathlib.Path(folder, "ask.lua")
        script.write_text(SCRIPT % listed)
        for turn in ["as it is", "asked before"]:
            print(turn, flush=True)
            subprocess.run(["wrk", "-t1", "-c32", "-d15s", "--latency", "-s", script, server], check=True)


main()
