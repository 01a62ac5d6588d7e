"""How well a cleaner undid what `labkit.corpus.soil` planted, and what it broke on the way.

The repaired text is held against the clean one. A planted change is **undone** if its place is as it was, **left** if
its place is as the soil left it, and **mangled** if it is neither. Every other difference between the clean and the
repaired text is **harm**. Then, by number of changes::

    recall    = undone / planted
    precision = undone / (undone + mangled + harm)

By characters, the same with each change counted by its longer side. Curly and straight quotes count as the same. A
planted copy is undone if only one of it and its original is left; a clean document of which none is left is harm.
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
    """Counts by dial; ``[0]`` counts changes, ``[1]`` characters.

    Attributes
    ----------
    planted, undone, mangled : dial to number, changes and characters
    harm : number, changes and characters
    examples : some harm: document id, part, clean and repaired characters
    """

    planted: tuple[Counter[str], Counter[str]]
    undone: tuple[Counter[str], Counter[str]]
    mangled: tuple[Counter[str], Counter[str]]
    harm: tuple[int, int]
    examples: tuple[tuple[str, str, str, str], ...] = field(default=(), repr=False)

    @property
    def precision(self) -> float:
        """Share of the changes made that are right; 1 where none was made."""
        return self._precision(0)

    @property
    def recall(self) -> float:
        """Share of the planted changes that were undone; 1 where none was planted."""
        return _share(self.undone[0].total(), self.planted[0].total())

    @property
    def character_precision(self) -> float:
        return self._precision(1)

    @property
    def character_recall(self) -> float:
        return _share(self.undone[1].total(), self.planted[1].total())

    @property
    def recall_by_dial(self) -> dict[str, float]:
        return {dial: self.undone[0][dial] / count for dial, count in sorted(self.planted[0].items())}

    def _precision(self, unit: int) -> float:
        undone = self.undone[unit].total()
        return _share(undone, undone + self.mangled[unit].total() + self.harm[unit])

    def __repr__(self) -> str:
        dials = ", ".join(f"{dial} {share:.3f}" for dial, share in self.recall_by_dial.items())
        return (
            f"repair of {self.planted[0].total():,} planted changes: precision {self.precision:.3f}, "
            f"recall {self.recall:.3f} ({dials}); by characters {self.character_precision:.3f} and "
            f"{self.character_recall:.3f}; harm in {self.harm[0]:,} places"
        )


def score_repair(soiled: Soiled, repaired: Collection) -> RepairScore:
    """Hold a repaired collection against the clean one that was soiled.

    Raises
    ------
    LabError
        If ``soiled`` was not made by `soil`, or a document's passages are not as many as before.
    """
    if not isinstance(soiled, Soiled):
        raise LabError(f"what was soiled must come from lk.soil; got {type(soiled).__name__}.")
    planted, undone, mangled = ((Counter(), Counter()) for _ in range(3))
    harm, examples = [0, 0], []
    copies: dict[str, list[str]] = {}
    for copy, original in soiled.copies.items():
        copies.setdefault(original, []).append(copy)
    for doc_id, clean in soiled.clean.docs.items():
        left = [key for key in (doc_id, *copies.get(doc_id, ())) if key in repaired.docs]
        if doc_id in copies:
            _count(planted, "duplicates", 1)
            _count(undone if len(left) == 1 else (Counter(), Counter()), "duplicates", 1)
        if not left:
            harm = [harm[0] + 1, harm[1] + len(clean.text)]
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
                _count(planted, change.rule, change.size)
                if outcome != "left":
                    _count(undone if outcome == "undone" else mangled, change.rule, change.size)
            for before, after in harmed:
                harm = [harm[0] + 1, harm[1] + max(len(before), len(after))]
                examples.append((doc_id, name, before, after))
    return RepairScore(planted, undone, mangled, (harm[0], harm[1]), tuple(examples[:200]))


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


def _count(counters: tuple[Counter[str], Counter[str]], dial: str, size: int) -> None:
    counters[0][dial] += 1
    counters[1][dial] += size


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
