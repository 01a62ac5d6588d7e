"""A stand-in for Cohere's rerank service on this machine: the real SDK talks to it, without a key or a network.

Its scores are this machine's MaxSim. They show how the service is used, never how good it is, and every reply says so.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding.checkpoints import load_encoder
from labkit.errors import LabError
from labkit.ranking.standin_faults import Faults, plan
from labkit.scoring.maxsim import maxsim

if TYPE_CHECKING:
    from labkit.ranking.standin_http import Scorer

PATIENCE = 30.0  # seconds to start, and to stop while a scorer still works


@contextmanager
def cohere_standin(faults: Faults = None, scorer: Scorer | None = None) -> Iterator[str]:
    """A loopback server that speaks POST /v1/rerank and /v2/rerank; yields its address. Documents are strings.

    Parameters
    ----------
    faults : what goes wrong, one a request with a bearer token: a word for all of them (``"429"``), a list for the
        first ones (``["429", "slow:0.5", "ok"]``), a dict by the request's number from 0, or a function of that number.
        `labkit.ranking.standin_faults.VOCABULARY` has the words; what is not named is ``"ok"``.
    scorer : function of a query and texts to one score each, 0..1; by default MaxSim of the default encoder, the mean
        similarity of a query token to its best match, cut to 0..1

    Yields
    ------
    str
        For ``cohere.ClientV2(api_key="any", base_url=url)``. Behind a proxy give that client
        ``httpx_client=httpx.Client(trust_env=False)``. At exit requests are cut off and the server's threads end; a
        scorer that works is waited for, 30 s at most.

    Raises `LabError` for a fault that is none, and where tornado is not installed.

    Source: the types of cohere 7.3.1; what is billed and refused is in `labkit.ranking.standin_rules`.
    """
    http = load_extra("labkit.ranking.standin_http")
    started: Future[tuple[str, Any, asyncio.AbstractEventLoop]] = Future()
    thread = threading.Thread(
        target=_serve, args=(http, plan(faults), scorer or by_maxsim, started), name="cohere-standin", daemon=True
    )
    thread.start()
    url, service, loop = started.result(PATIENCE)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(service.stop.set)
        thread.join(PATIENCE)


def _serve(http: Any, faults: Any, scorer: Scorer, started: Future) -> None:
    """The server's thread: an event loop of its own, so that a notebook's is left alone."""

    async def run() -> None:
        service, loop = http.Service(faults, scorer), asyncio.get_running_loop()
        await service.run(lambda url: started.set_result((url, service, loop)))

    try:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # tornado's kind, on Windows too
            runner.run(run())
    except Exception as error:
        if started.done():
            raise
        started.set_exception(error)


def by_maxsim(query: str, texts: list[str]) -> list[float]:
    """The mean similarity of a query token to its best document token, cut to 0..1; 0 for a text without tokens."""
    with _scoring:
        encoder = load_encoder()
        asked = encoder.encode_queries([query])[0]
        scores = maxsim(asked, encoder.encode_documents(texts))
    return np.clip(scores.astype(np.float64) / max(1, len(asked)), 0.0, 1.0).tolist()


by_maxsim.how = "MaxSim a query token"  # what the reply says of its scores

_shared: dict[int, str] = {}  # process id -> address: a fork has no server
_starting = threading.Lock()
_scoring = threading.Lock()  # so that two first calls do not load the model twice


def shared_standin() -> str:
    """The address of this process's stand-in without faults: started at the first call, ended with the process."""
    with _starting:
        if os.getpid() not in _shared:
            stack = ExitStack()
            _shared[os.getpid()] = stack.enter_context(cohere_standin())
            atexit.register(stack.close)
        return _shared[os.getpid()]


def load_extra(module: str) -> Any:
    """A module of labkit that needs the extra ``cohere``, or a `LabError` that says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name
    raise LabError(f"this needs {missing}, which is not installed: pip install 'late-interaction-lab[cohere]'.")
