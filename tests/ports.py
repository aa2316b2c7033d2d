"""Ports of loopback for servers that tests start."""

from __future__ import annotations

import random
import socket

_RANGE = range(10_000, 32_000)
"""Below those that systems give to outgoing connections (Linux from 32768, RFC 6335 from 49152)."""
_random = random.SystemRandom()  # Hypothesis seeds the other, in each process alike


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now, nor is likely to take soon."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port := _random.choice(_RANGE)))
            except OSError:
                continue
            return port
