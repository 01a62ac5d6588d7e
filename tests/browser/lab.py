"""A JupyterLab of the tests' own: on loopback, at a free port, with a random token, settings and home, offline."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[2]
SERVE = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--LabApp.expose_app_in_browser=True",  # as `jupyterapp`: tests run JupyterLab's own commands
    # As in the Makefile: no server is asked for news, updates or extensions.
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
SETTINGS = {"fetchNews": "false", "checkForUpdates": False}
STARTS_WITHIN = 120  # seconds


class Lab:
    """A server for the notebooks in ``folder / "work"``; its settings and home lie beside it. Use it in a ``with``."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.work, self.log = folder, folder / "work", log
        self.token = secrets.token_hex(24)
        self.work.mkdir(parents=True)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(SETTINGS), encoding="utf-8")

    def __enter__(self) -> Lab:
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *SERVE, f"--ServerApp.root_dir={self.work}"],
                cwd=self.work,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self._server.poll() is not None or self._listening(), STARTS_WITHIN, "JupyterLab starts")
        if self._server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{self.log.read_text(encoding='utf-8')}")
        self.url = json.loads(self._listening()[0].read_text(encoding="utf-8"))["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()  # it ends its kernels first
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def address(self, notebook: str) -> str:
        """Where a browser finds a notebook of ``work``, in a fresh workspace."""
        return f"{self.url}lab/tree/{quote(notebook)}?reset&token={self.token}"

    def _environment(self) -> dict[str, str]:
        folders = {
            "LABKIT_HOME": "home",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))  # kernels import `tests` too
        own = {key: str(self.folder / name) for key, name in folders.items()}
        return {"JUPYTER_TOKEN": self.token, "PYTHONPATH": path, **own}

    def _listening(self) -> list[Path]:
        """The file that the server writes once it listens."""
        return list((self.folder / "runtime").glob("jpserver-*.json"))


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return as soon as ``condition()`` is true; after ``seconds`` raise a `TimeoutError` that says ``what``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s until {what}")
        time.sleep(0.05)
