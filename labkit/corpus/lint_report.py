"""What lint found: written down as it is met, bounded and counted; as a screen of text, a table, and JSON."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.corpus.lint_rules import RULES, SEVERITIES, Finding
from labkit.text import shortened


@dataclass(frozen=True)
class Unseen:
    """How much of the documents a system never sees: ``share`` of all characters, and the worst documents."""

    system: str
    share: float
    documents: int
    worst: tuple[tuple[str, float], ...]


class LintReport:
    """What `lint` found, most harmful rules first.

    Attributes
    ----------
    findings : the first ``limit`` of each rule and severity; all are counted in ``counts``
    counts : rule id to {"error" | "warning" | "note": findings}, for rules that found something
    not_run : rule id to what it needs
    unseen : per system, what it never sees of the documents; empty without an encoder
    partial : the rules that an interrupt kept from ending; empty when all is done
    notes : what was sampled or left out
    """

    def __init__(self, c: Collection, limit: int, progress: bool) -> None:
        self.c, self.limit, self.progress = c, limit, progress
        self.name, self.documents, self.queries = c.name, len(c.docs), len(c.queries)
        self.not_run: dict[str, str] = {}
        self.unseen: list[Unseen] = []
        self.partial: tuple[str, ...] = ()
        self.notes: list[str] = []
        self._kept: dict[tuple[str, str], list[Finding]] = {}
        self._counted: Counter[tuple[str, str]] = Counter()

    def watch(self, items: Iterable[Any], what: str) -> Iterable[Any]:
        """The items, with a bar that names the rules at work."""
        return bar(items, what=f"lint: {what}", unit="text", show=self.progress)

    def add(
        self, rule: str, kind: str, id_: str, field: str, evidence: str, severity: str = "",
        span: tuple[int, int] | tuple[None, None] = (None, None), places: int = 1, times: int = 1,
    ) -> None:  # fmt: skip
        """Write a finding down; ``times`` counts others of its kind that are not told one by one."""
        severity = severity or RULES[rule].severity
        self._counted[severity, rule] += times
        kept = self._kept.setdefault((severity, rule), [])
        if len(kept) < self.limit:
            kept.append(Finding(rule, severity, kind, id_, field, *span, places, evidence))

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(found for s in SEVERITIES for rule in RULES for found in self._kept.get((s, rule), ()))

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for severity in SEVERITIES:
            for rule in RULES:
                if count := self._counted[severity, rule]:
                    counts.setdefault(rule, {})[severity] = count
        return counts

    @property
    def worst(self) -> str | None:
        """``"error"``, ``"warning"``, ``"note"``, or None when nothing was found."""
        return next((s for s in SEVERITIES if any(s == severity for severity, _ in self._counted)), None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {
            "collection": self.name, "documents": self.documents, "queries": self.queries, "worst": self.worst,
            "counts": self.counts, "not_run": self.not_run, "partial": list(self.partial), "notes": list(self.notes),
            "unseen": [asdict(u) for u in self.unseen],
            "findings": [finding.to_dict() for finding in self.findings],
        }  # fmt: skip

    def to_frame(self) -> Any:
        """The findings as a pandas DataFrame, to sort and filter."""
        import pandas as pd

        columns = list(Finding("empty", "note", "", "", "", None, None, 1, "").to_dict())
        return pd.DataFrame([finding.to_dict() for finding in self.findings], columns=columns)

    def summary(self) -> str:
        """What fits a screen: counts, an example of each rule, what is never seen, what was not run."""
        lines = [f"{self.name}: {self.documents:,} documents, {self.queries:,} queries"]
        if self.partial:
            lines.append(f"PARTIAL: interrupted; not finished: {', '.join(self.partial)}")
        first = {finding.rule: finding for finding in reversed(self.findings)}
        for rule, count in self.counts.items():
            told = ", ".join(f"{count[s]:,} {s}{'s' * (count[s] != 1)}" for s in SEVERITIES if s in count)
            example = f"{shortened(first[rule].id, 28)}: {first[rule].evidence}"
            lines.append(f"  {rule:<18} {told:<24} {shortened(example, 74)}")
        lines += [] if self.counts else ["  nothing found"]
        for u in self.unseen:
            worst = ", ".join(f"{shortened(i, 28)} {share:.0%}" for i, share in u.worst[:3])
            told = f"  {u.system} " + (f"never sees {u.share:.1%} of the text" if u.share else "reads all of the text")
            lines += [f"{told}, in {u.documents:,} documents", f"    worst: {worst}"] if worst else [told]
        for needs in dict.fromkeys(self.not_run.values()):
            rules = [rule for rule, other in self.not_run.items() if other == needs]
            lines.append(f"  not run: {', '.join(rules)} (needs {needs})")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        """The summary, and the findings with their effect and fix, all of it escaped."""
        cells = ("severity", "rule", "id", "field", "start", "evidence", "effect", "fix")
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in cells)
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{_cell(f[name])}</td>" for name in cells) + "</tr>"
            for f in map(Finding.to_dict, self._shown())
        )
        shown = f"{len(self._shown()):,} of {self._counted.total():,} findings"
        return (
            f"<pre>{html.escape(self.summary())}</pre><details><summary>{shown}; to_frame() has the rest</summary>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
        )

    def _shown(self, each: int = 5) -> list[Finding]:
        """The first findings of each rule."""
        by_rule: dict[str, list[Finding]] = {}
        for finding in self.findings:
            by_rule.setdefault(finding.rule, []).append(finding)
        return [finding for found in by_rule.values() for finding in found[:each]]


def _cell(value: object) -> str:
    return "" if value is None else html.escape(str(value))
