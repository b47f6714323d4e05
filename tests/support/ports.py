"""TCP ports for servers that are told theirs before they open it."""

import itertools
import os
import random
import socket

_FIRST, _LAST = 10_000, 32_000
"""Below the ports that Linux gives to outgoing connections, one of which could otherwise take
the port before the server does."""

_WORKERS = 8
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_OWN = range(_FIRST + _WORKER, _LAST, _WORKERS)
_candidates = itertools.cycle(random.sample(_OWN, len(_OWN)))


def free_port() -> int:
    """A TCP port that nobody listens on, and that no test beside this one will be given."""
    for port in _candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
