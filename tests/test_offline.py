"""Tests run offline: tools/offline refuses what is not loopback, here and in notebook kernels."""

import asyncio
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

OFFLINE = Path(__file__).parent.parent / "tools" / "offline"
REFUSED = "refused; only loopback is allowed"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"loopback works")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    """A web server on loopback."""
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        yield connection


def test_a_look_up_is_refused():
    with pytest.raises(OSError, match=f"'example.com' {REFUSED}"):
        socket.getaddrinfo("example.com", 80)
    with pytest.raises(OSError, match=REFUSED):
        socket.gethostbyname("example.com")


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "example.com"])
def test_a_connection_is_refused(host, udp):
    with pytest.raises(OSError, match=REFUSED), socket.socket() as connection:
        connection.connect((host, 80))
    with pytest.raises(OSError, match=REFUSED), socket.socket() as connection:
        connection.connect_ex((host, 80))
    with pytest.raises(OSError, match=REFUSED):
        socket.create_connection((host, 80), timeout=1)
    with pytest.raises(OSError, match=REFUSED):
        udp.sendto(b"", (host, 9))


def test_an_address_of_the_sixth_version_is_refused():
    with pytest.raises(OSError, match=REFUSED):
        socket.create_connection(("2001:db8::1", 80), timeout=1)


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com"])
def test_asyncio_is_refused(host):
    with pytest.raises(OSError, match=REFUSED):
        asyncio.run(asyncio.open_connection(host, 80))


def test_loopback_works(address, udp):
    assert urlopen(address).read() == b"loopback works"
    assert urlopen(address.replace("127.0.0.1", "localhost")).read() == b"loopback works"
    assert udp.sendto(b"", ("127.0.0.1", 9)) == 0


def test_urlopen_shows_our_error():
    with pytest.raises(URLError, match=REFUSED):
        urlopen("http://example.com")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no AF_UNIX")
def test_a_socket_in_the_file_system_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a relative path, since the system limits its length
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("s")
        server.listen()
        client.connect("s")
        assert server.accept()


def test_a_hidden_sitecustomize_still_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('the other one ran')")
    path = os.pathsep.join([str(OFFLINE), str(tmp_path)])
    code = "import socket; socket.create_connection(('192.0.2.1', 80))"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.stdout == "the other one ran\n"
    assert REFUSED in run.stderr


def run_notebook(*cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return NotebookClient(notebook, kernel_name="python3", timeout=120).execute()


def test_a_canary_notebook_is_refused(address):
    reach = "from urllib.request import urlopen; print(urlopen({!r}).read().decode())"
    with pytest.raises(CellExecutionError, match=REFUSED):
        run_notebook(reach.format("http://example.com"))
    [cell] = run_notebook(reach.format(address)).cells
    assert cell.outputs[0].text == "loopback works\n"


def test_kernels_run_this_environment():
    [cell] = run_notebook("import sys; print(sys.executable)").cells
    assert Path(cell.outputs[0].text.strip()).parent == Path(sys.executable).parent
