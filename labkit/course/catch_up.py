"""``lk.catch_up``: a late learner gets what a notebook reads from earlier ones, and keeps what is there."""

from __future__ import annotations

from collections.abc import Iterator

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

RAW = ("03", "07")  # the notebooks that read pydocs-raw
CLAIM = {"05": "02"}  # notebook 05 tests the claim of 02, or ours
BETS = {"05": "00"}  # and looks back at the bets of 00
LEDGER = "06"  # opens your ledger if it has as many runs on pydocs dev as here are systems, else the shipped one
SYSTEMS = ("bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion")
NOTE = "caught up"


def catch_up(notebook: str) -> Report:
    """Prepare what a notebook reads from those before it, and say what was done and what is yours to do.

    Collections are built. For 06, systems of notebook 02 that your ledger lacks are run here, with the note "caught
    up", if the store is warm. A bet or a claim is never made for you, and nothing that you have is changed.

    Parameters
    ----------
    notebook : its number, such as ``"03"``

    Raises
    ------
    LabError
        For a notebook that there is not.
    """
    if notebook not in notebooks():
        raise LabError(f"there is no notebook {notebook!r}; there is {', '.join(notebooks())}, each in quotes.")
    c = load_collection("pydocs", progress=True)
    warm = store(c, load_encoder())
    found = [Check("ok", "pydocs", f"{len(c.docs):,} documents"), warm]
    if notebook in RAW:
        found.append(Check("ok", "pydocs-raw", f"{len(load_collection('pydocs-raw', progress=True).docs):,} documents"))
    if notebook in CLAIM:
        found.append(_claim(CLAIM[notebook]))
    found += _bets(BETS.get(notebook, "none"))
    if notebook == LEDGER:
        found.append(_runs(c, warm.state == "ok"))
    return Report(tuple(found))


def _claim(id: str) -> Check:  # noqa: A002
    what = f"claim {id}"
    if made := claim(id):
        return Check("ok", what, f"kept: {made.better} against {made.than}")
    return Check("warn", what, "open: ours is tested instead", f'lk.claim("{id}", better=..., than=..., by=...) before')


def _bets(notebook: str) -> Iterator[Check]:
    for id in catalogue().bets:  # noqa: A001
        if id[:2] == notebook and id in placed():
            yield Check("ok", f"bet {id}", f"kept: {placed()[id].value}")
        elif id[:2] == notebook:
            yield Check("warn", f"bet {id}", "open", f'lk.bet("{id}", ...) before you see the result')


def _runs(c, warm: bool) -> Check:
    there = ledger(collection="pydocs", split="dev")
    if len(there) >= len(SYSTEMS):
        return Check("ok", "ledger", f"kept: {len(there)} runs of yours on pydocs dev")
    if not warm:
        return Check(
            "warn", "ledger", "too few runs: the shipped one is shown", f'labkit warm, then catch_up("{LEDGER}")'
        )
    missing = [name for name in SYSTEMS if name not in {run.told["system"] for run in there if run.told["k"] == 100}]
    for name in missing:
        evaluate(system(name, c), c, split="dev", k=100, progress=True, note=NOTE)
    return Check("ok", "ledger", f"{len(there)} runs kept, {len(missing)} made now: {', '.join(missing)}")
