"""The peek counter: a test split wears out by being looked at, so each look is recorded, and told ever after."""

from __future__ import annotations

from labkit.corpus.collection import Collection
from labkit.errors import LabError
from labkit.records import append_line, read_lines

FILE = "peeks.jsonl"
TEST = "test"


def look(collection: Collection, split: str, system: str, k: int) -> int:
    """Record a look at a test split and return the number of looks so far, this one included.

    Any other split gives 0 and is not recorded; ``"all"`` counts as test where there is a test split in it. Raises a
    LabError if the look cannot be recorded: then nothing is shown.
    """
    if split != TEST and not (split == "all" and TEST in collection.splits):
        return 0
    try:
        append_line(FILE, {"collection": collection.name, "split": split, "system": system, "k": k})
    except OSError as error:
        raise LabError(
            f"a look at {split!r} must be recorded first: {error}. Set LABKIT_HOME to a folder you may write to."
        ) from None
    return looks(collection.name)


def looks(collection: str) -> int:
    """How often a collection's test queries were looked at on this machine."""
    return sum(line.get("collection") == collection for line in read_lines(FILE))


def told(number: int) -> str:
    """The sentence beside every figure of a test split.

    >>> told(1), told(3)
    ('look 1 at these test queries', 'look 3 at these test queries: pick nothing by them')
    """
    return f"look {number} at these test queries" + (": pick nothing by them" if number > 1 else "")
