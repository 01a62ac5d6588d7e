"""What a page says and asks: console errors, exceptions, dialogs, and every request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog

INSIDE = ("data", "blob", "about")  # schemes that ask nobody
# JupyterLab's own errors that are none of ours, each with its reason. None was seen.
HARMLESS: tuple[str, ...] = ()


class Watch:
    """Listens to all pages of the contexts given to `listen`."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self._contexts: list[BrowserContext] = []

    def listen(self, context: BrowserContext) -> None:
        """Record from now on what the pages of ``context`` say and ask."""
        self._contexts.append(context)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.said.append(f"exception: {error.error}"))
        context.on("dialog", self._dialog)
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self.asked.append(socket.url)))

    def faults(self) -> list[str]:
        """Errors, exceptions and dialogs, then requests that left 127.0.0.1, since the last `forget`."""
        for page in [page for context in self._contexts for page in context.pages]:
            page.evaluate("null")  # what the page said before this arrives before the answer
        away = [url for url in self.asked if not stays(url)]
        return [*self.said, *(f"request: {url}" for url in away)]

    def forget(self) -> None:
        """Start again with nothing recorded."""
        self.said.clear()
        self.asked.clear()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert") and not any(known in message.text for known in HARMLESS):
            self.said.append(f"console: {message.text} ({message.location.get('url')})")

    def _dialog(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()


def stays(url: str) -> bool:
    """Whether a request to ``url`` stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in INSIDE or parts.hostname == "127.0.0.1"
