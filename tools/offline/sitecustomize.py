"""Refuse every connection and look-up that is not loopback. Active in each Python that has this folder on PYTHONPATH.

An audit hook does it: the interpreter raises these events itself, so asyncio and `_socket` cannot go around it. Methods
that take a host's name look it up before their event, so they are wrapped too. Child processes such as notebook kernels
inherit PYTHONPATH. Code that opens sockets outside Python is not seen.
"""

import functools
import importlib.machinery
import importlib.util
import ipaddress
import os
import socket
import sys

LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
SENDS = {"socket.connect", "socket.connect_ex", "socket.sendto", "socket.sendmsg"}
INTERNET = {socket.AF_INET, socket.AF_INET6}


class OfflineError(OSError):
    """A connection or look-up was refused because tests run offline."""


def is_loopback(host):
    """Whether a host, as a socket call takes it, stays on this machine. None and "" mean any own address."""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if host is None or host in ("", "localhost", "localhost."):
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def refuse(event, arguments):
    if event in LOOK_UPS:
        host = arguments[0]
        host = host[0] if isinstance(host, tuple) else host
    elif event in SENDS:
        connection, address = arguments
        # sendmsg without an address uses the connection that was allowed before.
        if not isinstance(address, tuple) or not address or connection.family not in INTERNET:
            return
        host = address[0]
    else:
        return
    if not is_loopback(host):
        raise OfflineError(f"offline tests: {event} to {host!r} refused; only loopback is allowed")


def refuse_names_before_look_up(method):
    """Wrap a method of socket.socket whose last argument is an address."""
    original = getattr(socket.socket, method)

    @functools.wraps(original)
    def guarded(self, *arguments):
        refuse(f"socket.{method}", (self, arguments[-1] if arguments else None))
        return original(self, *arguments)

    setattr(socket.socket, method, guarded)


def run_next_sitecustomize():
    """Run the sitecustomize that this one hides, if the path has another."""
    here = os.path.dirname(os.path.abspath(__file__))
    others = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


sys.addaudithook(refuse)
for name in ("connect", "connect_ex", "sendto"):
    refuse_names_before_look_up(name)
run_next_sitecustomize()
