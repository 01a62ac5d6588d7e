"""``lk.catch_up``: a late learner gets what a notebook reads from earlier ones, and keeps what is there."""

from __future__ import annotations

from labkit.corpus.collection import Collection
from labkit.corpus.load import load_collection
from labkit.course.catalogue import catalogue
from labkit.course.commitments import claim, placed
from labkit.course.doctor import Report
from labkit.course.flight import store
from labkit.course.probes import Check
from labkit.course.progress import notebooks
from labkit.encoding.checkpoints import load_encoder
from labkit.errors import LabError
from labkit.evaluation.evaluate import evaluate
from labkit.evaluation.ledger import ledger
from labkit.ranking.systems import system

COLLECTIONS = {"03": ("pydocs", "pydocs-raw"), "07": ("pydocs", "pydocs-raw")}  # the others read pydocs alone
COMMITMENTS = "05"  # tests claim 02, or ours, and looks back at the bets of 00
LEDGER = "06"  # opens your ledger if it has as many runs on pydocs dev as here are systems, else the shipped one
SYSTEMS = ("bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion")


def catch_up(notebook: str) -> Report:
    """Prepare what a notebook, such as ``"03"``, reads from those before it; say what was done and what is yours to do.

    Collections are built. For 06, systems of notebook 02 that your ledger lacks are run here, with the note "caught
    up", if the store is warm. A bet or a claim is never made for you, and nothing that you have is changed. A
    notebook that there is not is a LabError.
    """
    if notebook not in notebooks():
        raise LabError(f"there is no notebook {notebook!r}; there is {', '.join(notebooks())}, each in quotes.")
    read = {name: load_collection(name, progress=True) for name in COLLECTIONS.get(notebook, ("pydocs",))}
    found = [Check("ok", name, f"{len(c.docs):,} documents") for name, c in read.items()]
    found.append(store(read["pydocs"], load_encoder()))
    if notebook == COMMITMENTS:
        found += _commitments()
    if notebook == LEDGER:
        found.append(_runs(read["pydocs"], warm=found[-1].state == "ok"))
    return Report(tuple(found))


def _commitments() -> list[Check]:
    bets, made = placed(), claim("02")
    found = [Check("ok", "claim 02", f"kept: {made.better} against {made.than}")] if made else []
    found += [Check("ok", f"bet {key}", f"kept: {made.value}") for key, made in bets.items() if key[:2] == "00"]
    if not made:
        fix = 'lk.claim("02", better=..., than=..., by=...) before 05 tests it'
        found.append(Check("warn", "claim 02", "open: ours will be tested instead", fix))
    missing = [key for key in catalogue().bets if key[:2] == "00" and key not in bets]
    return found + [Check("warn", f"bet {key}", "open", f'lk.bet("{key}", ...)') for key in missing]


def _runs(c: Collection, warm: bool) -> Check:
    own = ledger(collection=c.name, split="dev")
    if len(own) >= len(SYSTEMS):
        return Check("ok", "ledger", f"kept: {len(own)} runs of yours on pydocs dev")
    if not warm:
        return Check("warn", "ledger", f"{len(own)} runs: 06 will show ours", 'labkit warm, then catch_up("06")')
    missing = [name for name in SYSTEMS if (name, 100) not in {(run.told["system"], run.told["k"]) for run in own}]
    for name in missing:
        evaluate(system(name, c), c, split="dev", k=100, progress=True, note="caught up")
    return Check("ok", "ledger", f"{len(own)} runs kept, {len(missing)} made now: {', '.join(missing)}")
