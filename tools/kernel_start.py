"""Run by each kernel of ``make lab`` before its first cell (PYTHONSTARTUP): ``lk`` not yet imported is told as well."""

import contextlib

with contextlib.suppress(ImportError):
    __import__("labkit")
