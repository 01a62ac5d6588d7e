"""What dirt costs and repair gives back: precision, recall and nDCG@10 by strength, with intervals.

    python data/recipes/soil_and_repair.py pydocs [FOLDER ...] [--late]

``--late`` measures MaxSim on BM25's 20 candidates too; every soiled text has to be encoded for it.
"""

import sys

import labkit as lk
from labkit.evaluation.evaluate import Evaluation
from labkit.ranking.systems import system

DIALS = ("mojibake", "boilerplate", "duplicates", "zero_width", "ocr", "html")
STRENGTHS = (0.2, 0.5, 1.0)


def main(names: list[str]) -> None:
    late = "--late" in names
    for name in (name for name in names if not name.startswith("--")):
        clean = lk.load_collection(name)
        print(f"\n{clean}")
        measured(clean, late)


def measured(clean: lk.Collection, late: bool) -> None:
    systems = {"bm25": 100, **({"bm25+late": 20} if late else {})}
    base = {name: lk.evaluate(system(name, clean), clean, split="all", k=k) for name, k in systems.items()}
    tidied = lk.repair(clean)
    size = sum(len(d.text) + sum(map(len, d.passages)) for d in clean.docs.values())
    changed = sum(change.size for record in tidied.records.values() for change in record.changes)
    print(f"clean: {changed / size:.5%} of the characters changed, {len(tidied.merged)} documents merged")
    for name, k in systems.items():
        told(f"  {name}, clean repaired", base[name], lk.evaluate(system(name, tidied), clean, split="all", k=k))
    for dials in [dict.fromkeys(DIALS, s) for s in STRENGTHS] + ([] if late else [{dial: 0.5} for dial in DIALS]):
        soiled = lk.soil(clean, **dials)
        repaired = lk.repair(soiled)
        print(f"{dials if len(dials) == 1 else f'all dials at {dials[DIALS[0]]}'}: {lk.score_repair(soiled, repaired)}")
        for name, k in systems.items():
            dirty = lk.evaluate(system(name, soiled), clean, split="all", k=k)
            fixed = lk.evaluate(system(name, repaired), clean, split="all", k=k)
            cost = told(f"  {name}, dirt", base[name], dirty)
            back = told(f"  {name}, repair", dirty, fixed)
            print(f"  {name}: {-back / cost:.0%} given back" if cost else "  the dirt cost nothing")


def told(what: str, before: Evaluation, after: Evaluation) -> float:
    c = lk.compare(before, after)
    print(f"{what}: {c.means[0]:.4f} -> {c.means[1]:.4f}, {c.delta:+.4f} [{c.low:+.4f}, {c.high:+.4f}]", flush=True)
    return c.delta


if __name__ == "__main__":
    main(sys.argv[1:] or ["pydocs"])
