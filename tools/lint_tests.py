"""Find tests that assert nothing: no `assert`, and no call whose name begins with one of ASSERTING.

python tools/lint_tests.py tests
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ASSERTING = ("assert", "_assert", "check", "_check", "raises", "warns", "fail")


def asserts(test: ast.AST) -> bool:
    """Whether anything inside ``test`` can fail on purpose."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name.startswith(ASSERTING):
                return True
    return False


def without_assertion(path: Path) -> Iterator[str]:
    """One line for each test function in ``path`` that asserts nothing."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and node.name.startswith("test_") and not asserts(node):
            yield f"{path}:{node.lineno}: {node.name} asserts nothing"


def main(folders: list[str]) -> int:
    files = sorted(path for folder in folders for path in Path(folder).rglob("test_*.py"))
    found = [line for path in files for line in without_assertion(path)]
    print("\n".join(found) or f"{len(files)} test files, every test asserts something")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
