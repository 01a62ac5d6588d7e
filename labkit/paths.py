"""Where things live: shipped data (read only), the learner's state, and what can be computed again.

``LABKIT_HOME`` holds state (bets, ledger, progress); ``LABKIT_CACHE`` (by default a folder inside it) holds what a
machine can rebuild: the vector store and the built pydocs.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The folder for state, created on first use: ``$LABKIT_HOME``, else the platform's user data folder."""
    chosen = os.environ.get("LABKIT_HOME")
    return _made(Path(chosen).expanduser() if chosen else user_data_path("labkit", appauthor=False))


def cache() -> Path:
    """The folder for what can be computed again: ``$LABKIT_CACHE``, else ``cache`` inside `home`."""
    chosen = os.environ.get("LABKIT_CACHE")
    return _made(Path(chosen).expanduser() if chosen else home() / "cache")


def data() -> Path:
    """The folder of shipped data: inside the wheel, or the checkout's ``data/`` in an editable install."""
    inside = Path(__file__).parent / "_data"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "data"


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` so that a reader, or a kill, sees the old file or the new one, never a part."""
    payload = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
