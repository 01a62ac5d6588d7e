"""The check for a room: each step with good and with bad input, and the whole of it in a process without a network."""

import json
import socket
import subprocess
import sys
import webbrowser

import pytest

import labkit as lk
from labkit.course import flight, probes
from labkit.course.doctor import doctor
from labkit.course.probes import Check
from labkit.encoding.encoders import Encoder
from labkit.encoding.store import Store


def one(findings):
    (check,) = findings
    return check


@pytest.fixture
def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_is_ok_and_a_taken_one_names_the_next(listening):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    assert one(flight.port(free)) == Check("ok", "flight: port", f"{free} is free")
    taken = one(flight.port(listening))
    assert (taken.state, taken.found) == ("warn", f"{listening} is taken")
    assert f"jupyter server stop {listening}" in taken.fix


def test_no_free_port_fails_with_the_fix(listening):
    check = one(flight.port(listening, tries=1))
    assert check.state == "fail"
    assert "--port" in check.fix


def test_no_browser_warns_and_says_how_to_go_on(monkeypatch):
    def none():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    check = one(flight.browser())
    assert (check.state, "copy the address" in check.fix) == ("warn", True)
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("firefox"))
    assert one(flight.browser()) == Check("ok", "flight: browser", "firefox")


def test_what_the_notebooks_need_is_installed_and_its_absence_fails(monkeypatch):
    assert one(flight.notebook_packages()).state == "ok"
    real = probes._version
    monkeypatch.setattr(probes, "_version", lambda name: None if name == "jupyterlab" else real(name))
    check = one(flight.notebook_packages())
    assert (check.state, check.found) == ("fail", "jupyterlab is missing")
    assert "make lab" in check.fix


def test_the_extras_are_read_from_the_project_and_from_a_wheels_metadata(monkeypatch):
    wanted = {"anywidget", "ipykernel", "ipywidgets", "jupyterlab", "cohere", "tornado"}
    assert {need.name for need in probes.declared(probes.find_lock(), ("notebooks", "cohere"))} == wanted
    lines = [
        "numpy>=2",
        'jupyterlab>=4; extra == "notebooks"',
        'x[cohere]; extra == "notebooks"',
        'b; extra == "bench"',
    ]
    monkeypatch.setattr(probes.metadata, "packages_distributions", lambda: {"labkit": ["x"]})
    monkeypatch.setattr(probes.metadata, "requires", lambda name: lines)
    assert [need.name for need in probes.declared(None, ("notebooks",))] == ["jupyterlab"]
    assert [need.name for need in probes.declared(None)] == ["numpy"]


@pytest.mark.parametrize(("texts", "left"), [(60, 40), (3, 0)])  # the sample is every third of sixty, or all three
def test_a_cold_store_is_timed_by_a_sample_which_it_keeps(texts, left, tmp_path):
    encoder = Encoder(lk.load_encoder().model, "fresh", Store(tmp_path / "s.sqlite"), twin=True)
    c = lk.Collection("few", {f"d{n}": lk.Document("", f"text number {n}") for n in range(texts)})
    check = flight.store(c, encoder)
    assert len(encoder.missing(c.passages)) == left
    assert (check.state, check.fix) == (("warn", "labkit warm") if left else ("ok", ""))
    assert check.found.startswith(f"cold: {left} of {texts} passages of few are not encoded, ")
    encoder.warm(c.passages)
    assert flight.store(c, encoder) == Check("ok", "store", f"warm: all {texts} passages of few are encoded")


def test_the_refused_network_keeps_the_docstrings_that_pydocs_reads():
    read = "socket.create_connection.__doc__, socket.getaddrinfo.__doc__"
    code = f"import socket\nbefore = {read}\n{flight.OFFLINE.partition('import labkit')[0]}\n"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}print(({read}) == before and all(before))"], capture_output=True
    )
    assert run.stdout.split() == [b"True"], run.stderr


@pytest.mark.slow
def test_the_whole_flight_passes_here():
    report = doctor(flight=True)
    found = {check.what: check for check in report.checks}
    steps = ("network", "pydocs", "pydocs-raw", "encoder", "twin", "cross-encoder", "exercises", "notebooks")
    assert [found[f"flight: {step}"].state for step in steps] == ["ok"] * len(steps), str(report)
    assert found["flight: store"].found.startswith(("warm", "cold"))
    assert all(check.fix for check in report.checks if check.state != "ok")


def test_flight_reports_each_step_and_the_switch(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    steps = {
        "flight: pydocs": ["ok", "1,200 documents", ""],
        "flight: encoder": ["fail", "LabError: not installed", ""],
        "flight: store": ["warn", "cold", "labkit warm"],
    }
    switch, pydocs, encoder, store = flight.flight_check(f"print({json.dumps(steps)!r})")
    assert switch == Check("ok", "flight: HF_HUB_OFFLINE", "1")
    assert pydocs == Check("ok", "flight: pydocs", "1,200 documents")
    assert (encoder.state, encoder.found) == ("fail", "LabError: not installed")
    assert "network" in encoder.fix
    assert store == Check("warn", "flight: store", "cold", "labkit warm")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert next(flight.flight_check("")).state == "warn"


def test_flight_runs_offline_itself_and_its_crash_is_reported():
    code = "import os; assert os.environ['HF_HUB_OFFLINE'] == '1'; raise SystemExit('torn store')"
    assert "torn store" in list(flight.flight_check(code))[-1].found


def test_flights_process_refuses_connections_and_look_ups():
    head = flight.OFFLINE.split("import labkit")[0]
    knock = """
import urllib.request
said = []
for work in (lambda: socket.getaddrinfo("example.org", 80), lambda: socket.socket().connect(("192.0.2.1", 80)),
             lambda: urllib.request.urlopen("http://192.0.2.1/")):
    try: work()
    except OSError as error: said.append("blocked" in str(error))
print(json.dumps(said))
"""
    assert probes.run_child(head + knock, 30) == [True, True, True]
