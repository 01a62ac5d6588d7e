"""How well a cleaner undid what `labkit.corpus.soil` planted, and what it broke on the way.

The repaired text is held against the clean one. A planted change is **undone** if its place is as it was, **left** if
its place is as the soil left it, and **mangled** if it is neither. Every other difference between the clean and the
repaired text is **harm**. Then, by number of changes::

    recall    = undone / planted
    precision = undone / (undone + mangled + harm)

Curly and straight quotes count as the same. A planted copy is undone if only one of it and its original is left; a
clean document of which none is left is harm.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from labkit.corpus.collection import Collection
from labkit.corpus.edits import Change, Edit, difference, patched
from labkit.corpus.repair import parts
from labkit.corpus.soil import Soiled
from labkit.errors import LabError

_QUOTES = str.maketrans("‘’“”", "''\"\"")


@dataclass(frozen=True)
class RepairScore:
    """Changes, counted.

    Attributes
    ----------
    planted, undone, mangled : dial to number
    harm : number
    examples : some harm: document id, part, clean and repaired characters
    """

    planted: Counter[str]
    undone: Counter[str]
    mangled: Counter[str]
    harm: int
    examples: tuple[tuple[str, str, str, str], ...] = field(default=(), repr=False)

    @property
    def precision(self) -> float:
        """Share of the changes made that are right; 1 where none was made."""
        undone = self.undone.total()
        return _share(undone, undone + self.mangled.total() + self.harm)

    @property
    def recall(self) -> float:
        """Share of the planted changes that were undone; 1 where none was planted."""
        return _share(self.undone.total(), self.planted.total())

    @property
    def recall_by_dial(self) -> dict[str, float]:
        return {dial: self.undone[dial] / count for dial, count in sorted(self.planted.items())}

    def __repr__(self) -> str:
        dials = ", ".join(f"{dial} {share:.3f}" for dial, share in self.recall_by_dial.items())
        return (
            f"repair of {self.planted.total():,} planted changes: precision {self.precision:.3f}, "
            f"recall {self.recall:.3f} ({dials}); harm in {self.harm:,} places"
        )


def score_repair(soiled: Soiled, repaired: Collection) -> RepairScore:
    """Hold a repaired collection against the clean one that was soiled.

    Raises a `LabError` if ``soiled`` was not made by `soil`, or a document's passages are not as many as before.
    """
    if not isinstance(soiled, Soiled):
        raise LabError(f"what was soiled must come from lk.soil; got {type(soiled).__name__}.")
    planted, undone, mangled = Counter(), Counter(), Counter()
    harm, examples = 0, []
    copies: dict[str, list[str]] = {}
    for copy, original in soiled.copies.items():
        copies.setdefault(original, []).append(copy)
    for doc_id, clean in soiled.clean.docs.items():
        left = [key for key in (doc_id, *copies.get(doc_id, ())) if key in repaired.docs]
        if doc_id in copies:
            planted["duplicates"] += 1
            undone["duplicates"] += len(left) == 1
        if not left:
            harm += 1
            continue
        document = repaired.docs[left[0]]
        told = dict(parts(document)) | {f"passage {i}": text for i, text in enumerate(document.passages)}
        for name, text in parts(clean):
            if name not in told:
                raise LabError(f"{doc_id} must keep its {name}; a cleaner changes texts, not how they are cut.")
            record = soiled.records.get((doc_id, name))
            changes = record.changes if record else ()
            dirty = record.text if record else text
            outcomes, harmed = _outcome(text, dirty, told[name], changes)
            for change, outcome in zip(changes, outcomes, strict=True):
                planted[change.rule] += 1
                if outcome != "left":
                    (undone if outcome == "undone" else mangled)[change.rule] += 1
            harm += len(harmed)
            examples += [(doc_id, name, before, after) for before, after in harmed]
    return RepairScore(planted, undone, mangled, harm, tuple(examples[:200]))


def _outcome(
    clean: str, dirty: str, repaired: str, changes: tuple[Change, ...]
) -> tuple[list[str], list[tuple[str, str]]]:
    """What became of each planted change, and the other differences as (clean, repaired).

    The clean text with those changes that seem to be left is held against the repaired one, and a change where the two
    differ is turned over; twice, since the more is in its place, the better the two align.
    """
    if repaired in (clean, dirty):
        return ["undone" if repaired == clean else "left"] * len(changes), []
    repaired = repaired.translate(_QUOTES)
    undone = [True] * len(changes)
    for attempt in range(3):
        shown = [c.before if back else c.after for c, back in zip(changes, undone, strict=True)]
        edits = [(c.start, c.end, new) for c, new in zip(changes, shown, strict=True)]
        guess = patched(clean, 0, len(clean), edits).translate(_QUOTES)
        spots, shift = [], 0
        for change, new in zip(changes, shown, strict=True):
            spots.append((change.start + shift, change.start + shift + len(new), ""))
            shift += len(new) - len(change.before)
        wrong = difference(guess, repaired)
        off = [_touched(wrong, start, end) for start, end, _ in spots]
        if attempt < 2:
            undone = [back != turn for back, turn in zip(undone, off, strict=True)]
    outcomes = ["mangled" if bad else "undone" if back else "left" for back, bad in zip(undone, off, strict=True)]
    return outcomes, [(guess[a:b], new) for a, b, new in wrong if not _touched(spots, a, b)]


def _touched(edits: list[Edit], start: int, end: int) -> bool:
    """Whether an edit touches a span; edits are in order and do not overlap."""
    place = bisect_left(edits, start, key=lambda edit: edit[1])
    return place < len(edits) and edits[place][0] <= end


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
