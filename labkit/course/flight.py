"""The check for a room, the day before: ``labkit doctor --flight``. A process without a network loads all of it."""

from __future__ import annotations

import os
import socket
import time
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING

from labkit.course.probes import Check, declared, find_lock, problems, run_child

if TYPE_CHECKING:
    from labkit.corpus.collection import Collection
    from labkit.encoding.encoders import Encoder

PORT, TRIES = 8888, 50  # where JupyterLab begins, and how many ports it tries
SAMPLE = 24  # passages that are encoded to tell how long all of them take
ONLINE = "make lab while you have a network"

OFFLINE = """
import functools, json, socket
def refuse(owner, name):  # keeps the docstring: two of them are documents of pydocs
    @functools.wraps(getattr(owner, name))
    def refused(*args, **kwargs): raise ConnectionRefusedError("the network is blocked for this check")
    setattr(owner, name, refused)
for name in ("connect", "connect_ex", "sendto"): refuse(socket.socket, name)
for name in ("create_connection", "getaddrinfo", "gethostbyname"): refuse(socket, name)
import labkit as lk
from labkit.course.catalogue import catalogue
from labkit.course.flight import store
def step(work):
    try:
        found = work()
        return ["ok", found, ""] if isinstance(found, str) else [found.state, found.found, found.fix]
    except Exception as error: return ["fail", f"{type(error).__name__}: {error}", ""]
def knock():
    try: socket.socket().connect(("192.0.2.1", 80))
    except ConnectionRefusedError: return "every connection and look-up refused"
    raise RuntimeError("a connection got through")
def cross():
    lk.CrossEncoderReranker().prepare()
    return "loads, its hash as expected"
steps = {
    "network": knock,
    "pydocs": lambda: f"{len(lk.load_collection('pydocs').docs):,} documents",
    "pydocs-raw": lambda: f"{len(lk.load_collection('pydocs-raw').docs):,} documents",
    "encoder": lambda: f"loads, {len(lk.load_encoder().encode_queries(['take off'])[0])} query vectors",
    "twin": lambda: "answers: " + lk.system("dense", lk.load_collection("pydocs")).search("take off", k=1)[0].doc_id,
    "cross-encoder": cross,
    "exercises": lambda: f"{len(catalogue().exercises)} exercises, {len(catalogue().bets)} bets",
    "store": lambda: store(lk.load_collection("pydocs"), lk.load_encoder()),
}
print(json.dumps({f"flight: {what}": step(work) for what, work in steps.items()}))
"""


def flight_check(code: str = OFFLINE, timeout: float = 300) -> Iterator[Check]:
    """Is everything on disk? The proof is a process without a network that loads it all."""
    switch = os.environ.get("HF_HUB_OFFLINE", "not set")
    good = switch.upper() in ("1", "ON", "YES", "TRUE")
    fix = "" if good else "set HF_HUB_OFFLINE=1 before you start JupyterLab"
    yield Check("ok" if good else "warn", "flight: HF_HUB_OFFLINE", switch, fix)
    try:
        steps = run_child(code, timeout, HF_HUB_OFFLINE="1")
    except RuntimeError as error:
        yield Check("fail", "flight", str(error), ONLINE)
        return
    for what, (state, found, fix) in steps.items():
        yield Check(state, what, found, fix or (ONLINE if state == "fail" else ""))


def store(c: Collection, encoder: Encoder) -> Check:
    """Is the collection encoded? If not, how long it takes here, by encoding a sample, which is kept."""
    missing = encoder.missing(c.passages)
    if not missing:
        return Check("ok", "store", f"warm: all {len(c.passages):,} passages of {c.name} are encoded")
    sample = missing[:: -(-len(missing) // SAMPLE)]
    encoder.encode_queries(["load the model before the clock starts"])
    began = time.perf_counter()
    encoder.warm(sample)
    left = len(missing) - len(sample)
    minutes = left * (time.perf_counter() - began) / len(sample) / 60
    found = f"cold: {left:,} of {len(c.passages):,} passages of {c.name} are not encoded, {minutes:.1f} minutes of work"
    return Check("warn" if left else "ok", "store", found, "labkit warm" if left else "")


def notebook_packages(extras: tuple[str, ...] = ("notebooks", "cohere")) -> Iterator[Check]:
    """Is what the notebooks need beside the library installed, in the declared range?"""
    needs = declared(find_lock(), extras)
    wrong = problems(needs)
    fix = "make lab, or pip install 'late-interaction-lab[notebooks]'" if wrong else ""
    yield Check("fail" if wrong else "ok", "flight: notebooks", "; ".join(wrong) or f"{len(needs)} packages", fix)


def port(first: int = PORT, tries: int = TRIES) -> Iterator[Check]:
    """Which port can JupyterLab listen on?"""
    free = next((number for number in range(first, first + tries) if _is_free(number)), None)
    if free is None:
        fix = 'make lab LAB_ARGS="--port 9900", or let the firewall allow Python on 127.0.0.1'
        yield Check("fail", "flight: port", f"none from {first} to {first + tries - 1} is free", fix)
    elif free != first:
        fix = f"expect port {free}, or stop the other server: jupyter server list, jupyter server stop {first}"
        yield Check("warn", "flight: port", f"{first} is taken", fix)
    else:
        yield Check("ok", "flight: port", f"{first} is free")


def _is_free(number: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def browser() -> Iterator[Check]:
    """Is there a browser that JupyterLab can open?"""
    try:
        found = webbrowser.get()
        yield Check("ok", "flight: browser", getattr(found, "name", "") or type(found).__name__)
    except webbrowser.Error:
        fix = "install one, or copy the address that JupyterLab prints into a browser on this machine"
        yield Check("warn", "flight: browser", "none that Python can open", fix)


CHECKS = (notebook_packages, port, browser, flight_check)
