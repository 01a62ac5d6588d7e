"""The stand-in's HTTP side, on tornado: one handler for v1 and v2, which answers or goes wrong as it was told."""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from labkit.ranking.standin_faults import Fault, spoil
from labkit.ranking.standin_rules import Refused, read_request, reply_of, results_of

Scorer = Callable[[str, list[str]], Sequence[float]]

PIECES = 20  # of a dripping reply
MAX_BODY = 64 * 2**20  # bytes
LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # on, for 0 s: closing resets
REFUSALS = {
    "429": "you are past the rate limit of this stand-in; please wait and try again",
    "500": "internal server error",
    "503": "the service is unavailable",
}


class Service:
    """What all requests share: the scorer, the faults to come, and the signal to stop."""

    def __init__(self, faults: Iterator[Fault], scorer: Scorer) -> None:
        self.faults, self.scorer = faults, scorer
        self.how = getattr(scorer, "how", "own scorer")
        self.stop = asyncio.Event()
        self.tasks: set[asyncio.Task] = set()

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's end, which raises `StreamClosedError`."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return
        raise StreamClosedError

    async def run(self, told: Callable[[str], Any]) -> None:
        """Serve on a free port of 127.0.0.1 until stopped; ``told`` gets the address."""
        routes = [(rf"/v{version}/rerank", Rerank, {"service": self, "version": version}) for version in (1, 2)]
        server = HTTPServer(Application(routes, log_function=lambda handler: None), max_body_size=MAX_BODY)
        sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        server.add_sockets(sockets)
        try:
            told(f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
            await self.stop.wait()
        finally:
            server.stop()
            await server.close_all_connections()
            if self.tasks:
                await asyncio.wait(self.tasks)


class Rerank(RequestHandler):
    """POST /v1/rerank and /v2/rerank."""

    def initialize(self, service: Service, version: int) -> None:
        self.service, self.version = service, version

    async def post(self) -> None:
        """Check the bearer token, then let a fault happen, then check the request, then answer."""
        task = asyncio.current_task()
        self.service.tasks.add(task)
        task.add_done_callback(self.service.tasks.discard)
        try:
            await self._answer()
        except Refused as refused:
            self._send(refused.status, {"message": str(refused)})
        except StreamClosedError:
            self._hang_up()

    async def _answer(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refused(401, "no api key supplied")
        fault = self._next_fault()
        if fault.word == "429":
            self.set_header("Retry-After", f"{math.ceil(fault.seconds)}")
        if fault.word in REFUSALS:
            raise Refused(int(fault.word), REFUSALS[fault.word])
        if fault.word == "reset":
            return self._hang_up(reset=True)
        asked = read_request(self.version, self.request.body)
        if fault.word == "slow":
            await self.service.pause(fault.seconds)
        scores = await self._scores(asked.query, asked.texts)
        results = spoil(results_of(asked, scores), fault.word, len(asked.documents))
        await self._deliver(json.dumps(reply_of(asked, results, self.service.how)).encode(), fault)

    def _next_fault(self) -> Fault:
        try:
            return next(self.service.faults)
        except Exception as error:
            raise Refused(500, f"the stand-in's faults failed: {error}") from None

    async def _scores(self, query: str, texts: list[str]) -> list[float]:
        """The scorer's word, off the event loop, so that other requests go on."""
        try:
            scores = [float(score) for score in await asyncio.to_thread(self.service.scorer, query, texts)]
        except Exception as error:
            raise Refused(500, f"the stand-in's scorer failed: {type(error).__name__}: {error}") from None
        if len(scores) != len(texts) or not all(map(math.isfinite, scores)):
            raise Refused(500, f"the stand-in's scorer must give {len(texts)} finite scores")
        return scores

    async def _deliver(self, body: bytes, fault: Fault) -> None:
        if fault.word == "malformed":
            body = body[: len(body) // 2]
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Length", len(body))
        pieces = {"drip": PIECES, "truncated": 2}.get(fault.word, 1)
        size = math.ceil(len(body) / pieces)
        for start in range(0, len(body), size):
            if start and fault.word == "truncated":
                return self._hang_up()
            if start and fault.word == "drip":
                await self.service.pause(fault.seconds)
            self.write(body[start : start + size])
            await self.flush()

    def _send(self, status: int, body: dict[str, Any]) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(body))

    def _hang_up(self, reset: bool = False) -> None:
        """Close the connection without another word; with ``reset`` so that the client sees a reset."""
        stream = self.detach()
        if reset and stream.socket is not None:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        stream.close()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors as the service words them: an object with a message."""
        self._send(status_code, {"message": self._reason})

    def log_exception(self, *exception: Any) -> None:
        """Nothing: what went wrong is in the reply, and a notebook's output stays clean."""
