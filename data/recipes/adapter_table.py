"""What the adapter gains: MaxSim with it and without it, over BM25's 100 candidates, and inside the fusion.

    python data/recipes/adapter_table.py                    # pydocs, dev and test
    python data/recipes/adapter_table.py FOLDER [FOLDER ...]

Each line is a mean paired difference in nDCG@10 with its 95 % interval; p-values are corrected for a split's lines.
"""

import sys

import labkit as lk
from labkit.encoding.low_rank import ADAPTER

K = 100
OTHERS = ("bm25", "bm25+late", "dense", "fusion", "dense+late+fusion")
ADAPTED = ("bm25+late", "dense+late+fusion")


def main(source: str, split: str) -> None:
    c = lk.load_collection(source)
    lk.load_encoder(ADAPTER).warm(c.passages, progress=True)
    runs = {name: lk.evaluate(lk.system(name, c), c, split, k=K) for name in OTHERS}
    adapted = {name: lk.evaluate(lk.system(name, c, encoder=ADAPTER), c, split, k=K) for name in ADAPTED}
    pairs = [(name, "bm25+late") for name in runs if name != ADAPTED[1]] + [(ADAPTED[1], ADAPTED[1])]
    found = lk.compare([runs[before] for before, _ in pairs], [adapted[after] for _, after in pairs])
    print(f"\n{c}, {split}", flush=True)
    for (before, after), one in zip(pairs, found, strict=True):
        told = f"{one.delta:+.3f} [{one.low:+.3f}, {one.high:+.3f}], p corrected {one.p_holm:.3f}, {one.verdict}"
        print(f"{before} {one.means[0]:.3f} -> {after} with the adapter {one.means[1]:.3f}: {told}", flush=True)


if __name__ == "__main__":
    for source in sys.argv[1:] or ["pydocs"]:
        for split in lk.load_collection(source).splits or ["all"]:
            main(source, split)
