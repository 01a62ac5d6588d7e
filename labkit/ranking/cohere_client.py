"""The connection to the rerank service: the SDK's client, one attempt, a deadline, and errors that hold no key."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import cohere
import httpx
from cohere.core.api_error import ApiError

from labkit.ranking.cohere_reply import ServiceError
from labkit.text import with_texts

LONGEST_MESSAGE = 200  # characters of the service's own words in an error
OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)  # this side's mistakes: they will not pass
UNSENT = (*OURS, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Connection:
    """One client of the SDK, for any number of threads. It never retries; who calls it decides that.

    Parameters
    ----------
    key : bearer token
    base_url : address of the service, or None for Cohere's
    timeout : seconds for connecting, for sending, and for each wait for data; a reply that drips is cut off at the
        first data that come later than this after the question
    """

    def __init__(self, key: str, base_url: str | None, timeout: float) -> None:
        self.timeout = timeout
        self.who = "the stand-in" if base_url and is_loopback(base_url) else "Cohere"
        self._now = now = threading.local()
        http = httpx.Client(
            timeout=timeout,
            trust_env=not (base_url and is_loopback(base_url)),  # a proxy must not swallow loopback
            event_hooks={"response": [lambda response: _read(response, now)]},
        )
        self._sdk = cohere.ClientV2(key, base_url=base_url, timeout=timeout, max_retries=0, httpx_client=http)
        self._hide = lambda text: text.replace(key, "***")
        weakref.finalize(self, http.close)

    def ask(self, **request: Any) -> Any:
        """The reply to one v2 rerank request, as plain JSON.

        Raises `ServiceError` for whatever goes wrong. It stands alone: no cause, no context, so neither headers nor a
        key come with it.
        """
        self._now.end, self._now.body = time.monotonic() + self.timeout, None
        failure = None
        try:
            self._sdk.rerank(**request)
        except Exception as error:
            failure = self._told(error)
        if failure is not None:
            raise failure
        return with_texts(json.loads(self._now.body), self._hide)  # should a gateway echo the key

    def _told(self, error: Exception) -> ServiceError:
        """The error in one sentence, without what the SDK puts beside it."""
        kind, status, unsent = type(error).__name__, getattr(error, "status_code", None), isinstance(error, UNSENT)
        if isinstance(error, httpx.TimeoutException):
            return ServiceError(f"{self.who} gave no whole reply within {self.timeout:g} s.", free=unsent)
        if isinstance(error, httpx.TransportError):
            ours = "bad request" if isinstance(error, OURS) else ""
            return ServiceError(f"the connection to {self.who} failed ({kind}).", failure=ours, free=unsent)
        if isinstance(error, httpx.RequestError):
            return ServiceError(f"the rerank reply cannot be used: it could not be read ({kind}).", failure="bad reply")
        if self._now.body is None:
            message = f"the question to {self.who} could not be sent ({kind})."
            return ServiceError(message, failure="bad request", free=True)
        if not isinstance(error, ApiError) or status is None or status < 300:
            return ServiceError(f"the rerank reply cannot be used: the SDK could not read it ({kind}).", status)
        body = error.body.get("message") if isinstance(error.body, dict) else error.body
        message = self._hide(str(body))[:LONGEST_MESSAGE]
        wait = _seconds((error.headers or {}).get("retry-after"))
        hint = {401: " Check the key in CO_API_KEY.", 429: f" It asks to wait {wait:g} s." if wait else ""}
        return ServiceError(f"{self.who} refused ({status}): {message}.{hint.get(status, '')}", status, wait)


class _Deadline(httpx.SyncByteStream):
    """A reply's body that must be whole by a time: httpx's own timeouts start anew with every byte."""

    def __init__(self, stream: Any, end: float) -> None:
        self.stream, self.end = stream, end

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            if time.monotonic() > self.end:
                raise httpx.ReadTimeout("the reply was not whole in time")
            yield chunk

    def close(self) -> None:
        self.stream.close()


def _read(response: httpx.Response, now: threading.local) -> None:
    """Read the body within the deadline and keep it, for what the SDK makes of it is not what was sent."""
    response.stream = _Deadline(response.stream, now.end)
    now.body = response.read()


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; None for its other form, a date."""
    return float(header) if header and header.strip().isdigit() else None
