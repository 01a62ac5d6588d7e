"""Two checks on a sweep: does a cell come out the same when it is run again, and does dev's choice hold on test?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from labkit.evaluation import peeks
from labkit.evaluation.compare import Comparisons

TOLERANCE = 5e-4  # three digits of a mean; scores may differ in the last bits between machines


@dataclass(frozen=True, repr=False)
class Recomputed:
    """A cell as it was stored, and as it came out now.

    Attributes
    ----------
    cell : what it changes of the base
    stored, now : mean nDCG@10
    was, is_now : the same by query
    why : what is not as it was: data, models, configuration
    """

    cell: str
    stored: float
    now: float
    was: dict[str, float] = field(repr=False)
    is_now: dict[str, float] = field(repr=False)
    why: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether both means are the same to three digits, over the same queries."""
        return self.was.keys() == self.is_now.keys() and abs(self.now - self.stored) < TOLERANCE

    @property
    def differing(self) -> list[str]:
        """Queries whose value is another one now, or that only one of both has."""
        both = dict.fromkeys([*self.was, *self.is_now])
        return [q for q in both if abs(self.was.get(q, -1.0) - self.is_now.get(q, -1.0)) > TOLERANCE]

    def to_text(self) -> str:
        """Both values, and whether they agree."""
        verdict = "agree" if self.agrees else "DO NOT AGREE"
        why = f"; not as it was: {'; '.join(self.why)}" if self.why else ""
        count = f"{len(self.differing)} of {len(self.was)} queries differ"
        return f"{self.cell}: stored {self.stored:.4f}, now {self.now:.4f}: they {verdict}; {count}{why}"

    def __repr__(self) -> str:
        return self.to_text()


@dataclass(frozen=True, repr=False)
class TestCheck:
    """Dev's best cells and what they gain over the base on test.

    Attributes
    ----------
    cells : what each changes of the base, dev's best first
    dev : what each gains over the base on dev, nDCG@10
    test : the same cells against the base on test, corrected for all of them
    looks : which look at the test split it was
    tried : among how many cells they were the best on dev
    """

    __test__ = False  # no test, though its name begins like one

    cells: tuple[str, ...]
    dev: tuple[float, ...]
    test: Comparisons
    looks: int
    tried: int

    @property
    def kept(self) -> float:
        """Which share of the mean gain on dev is there on test; NaN where dev has none."""
        gained = float(np.mean(self.dev))
        return float(np.mean([c.delta for c in self.test])) / gained if gained > 0 else float("nan")

    def to_frame(self):
        """A row a cell, as a pandas table."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"cell": cell, "gain on dev": dev, "gain on test": c.delta, "low": c.low, "high": c.high,
                 "p corrected": c.p_holm, "verdict": c.verdict}
                for cell, dev, c in zip(self.cells, self.dev, self.test, strict=True)
            ]
        )  # fmt: skip

    def to_text(self) -> str:
        """A line a cell, and how much of the gain was dev's luck."""
        lines = [
            f"  {dev:+.3f} on dev, {c.delta:+.3f} on test ({c.low:+.3f} to {c.high:+.3f}): {c.verdict}; {cell}"
            for cell, dev, c in zip(self.cells, self.dev, self.test, strict=True)
        ]
        kept = "dev shows no gain to keep" if np.isnan(self.kept) else f"test keeps {self.kept:.0%} of dev's mean gain"
        head = f"dev's best {len(self.cells)} of {self.tried} cells against the base, nDCG@10:"
        return "\n".join([head, *lines, kept, peeks.told(self.looks)])

    def __repr__(self) -> str:
        return self.to_text()
