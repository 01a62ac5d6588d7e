"""What lint found: counted by rule and severity, as a screen of text, a table, and JSON."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from labkit.corpus.lint_rules import SEVERITIES, Finding
from labkit.text import shortened


@dataclass(frozen=True)
class Unseen:
    """How much of the documents a system never sees: ``share`` of all characters, and the worst documents."""

    system: str
    share: float
    documents: int
    worst: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class LintReport:
    """What `lint` found, most harmful rules first.

    Attributes
    ----------
    findings : at most ``limit`` of a rule; all are counted in ``counts``
    counts : rule id to {"error" | "warning" | "note": findings}, for rules that found something
    not_run : rule id to what it needs
    unseen : per system, what it never sees of the documents; empty without an encoder
    partial : the rules that an interrupt kept from ending; empty when all is done
    notes : what was sampled or left out
    """

    name: str
    documents: int
    queries: int
    findings: tuple[Finding, ...]
    counts: dict[str, dict[str, int]]
    not_run: dict[str, str]
    unseen: tuple[Unseen, ...] = ()
    partial: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> str | None:
        """``"error"``, ``"warning"``, ``"note"``, or None when nothing was found."""
        return next((s for s in SEVERITIES if any(s in count for count in self.counts.values())), None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {
            "collection": self.name, "documents": self.documents, "queries": self.queries, "worst": self.worst,
            "counts": self.counts, "not_run": self.not_run, "partial": list(self.partial), "notes": list(self.notes),
            "unseen": [
                {"system": u.system, "share": u.share, "documents": u.documents, "worst": [list(w) for w in u.worst]}
                for u in self.unseen
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }  # fmt: skip

    def to_frame(self) -> Any:
        """The findings as a pandas DataFrame, to sort and filter."""
        import pandas as pd

        columns = list(Finding("empty", "note", "", "", "", "").to_dict())
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
            told = (
                f"  {u.system} never sees {u.share:.1%} of the text"
                if u.share
                else f"  {u.system} reads all of the text"
            )
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
        shown = f"{len(self._shown()):,} of {sum(sum(c.values()) for c in self.counts.values()):,} findings"
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
