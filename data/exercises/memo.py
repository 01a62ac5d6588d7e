"""What the memos of notebook 07 are decided by: one rule, stated before the figures are seen."""

from __future__ import annotations

WORDS = ("yes", "no", "cannot tell")


def decide(now: float, bar: float, low: float, high: float, worth: float) -> str:
    """Answer "yes", "no" or "cannot tell": ``now`` is today's quality, ``low`` to ``high`` the gain's interval."""
    if now >= bar:
        return "no"
    if low > worth:
        return "yes"
    return "no" if high <= worth else "cannot tell"
