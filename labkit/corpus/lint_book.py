"""Where lint's checks write what they find: bounded, counted, with a bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.corpus.lint_report import LintReport, Unseen
from labkit.corpus.lint_rules import RULES, SEVERITIES, Finding


class Book:
    """Findings of one collection: the first ``limit`` of each rule and severity are kept, all are counted."""

    def __init__(self, c: Collection, limit: int, progress: bool) -> None:
        self.c, self.limit, self.progress = c, limit, progress
        self.found: dict[tuple[str, str], list[Finding]] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.unseen: list[Unseen] = []
        self.notes: list[str] = []

    def watch(self, items: Iterable[Any], what: str, total: int | None = None) -> Iterable[Any]:
        """The items, with a bar that names the rules at work."""
        return bar(items, total, what=f"lint: {what}", unit="text", show=self.progress)

    def add(
        self, rule: str, kind: str, id_: str, field: str, evidence: str, severity: str = "",
        span: tuple[int, int] | tuple[None, None] = (None, None), places: int = 1, times: int = 1,
    ) -> None:  # fmt: skip
        """Write a finding down; ``times`` counts others of its kind that are not told one by one."""
        severity = severity or RULES[rule].severity
        kept = self.found.setdefault((rule, severity), [])
        self.counts[rule, severity] = self.counts.get((rule, severity), 0) + times
        if len(kept) < self.limit:
            kept.append(Finding(rule, severity, kind, id_, field, evidence, *span, places))

    def report(self, not_run: dict[str, str], partial: tuple[str, ...]) -> LintReport:
        """All of it, errors first, and in the order of `RULES`."""
        order = [(severity, rule) for severity in SEVERITIES for rule in RULES]
        counts: dict[str, dict[str, int]] = {}
        for severity, rule in order:
            if (rule, severity) in self.counts:
                counts.setdefault(rule, {})[severity] = self.counts[rule, severity]
        findings = tuple(f for severity, rule in order for f in self.found.get((rule, severity), ()))
        sizes = len(self.c.docs), len(self.c.queries)
        unseen, notes = tuple(self.unseen), tuple(self.notes)
        return LintReport(self.c.name, *sizes, findings, counts, not_run, unseen, partial, notes)
