"""How uvicorn is started: its port is checked first, and its access log holds no secrets."""

from __future__ import annotations

import copy
import logging
import socket
from typing import Any

from pwless_middleware.cli.importing import UsageError


class WithoutQuery(logging.Filter):
    """Cut the query string off the path in a line of uvicorn's access log: it holds link tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's arguments; every record passes."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, version, status = record.args
            record.args = (client, method, str(path).partition("?")[0], version, status)
        return True


def log_config() -> dict[str, Any]:
    """Return uvicorn's own logging configuration, with `WithoutQuery` on its access log."""
    from uvicorn.config import LOGGING_CONFIG

    config = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"without_query": {"()": f"{__name__}.WithoutQuery"}}
    config["handlers"]["access"]["filters"] = ["without_query"]
    return config


def check_port(host: str, port: int) -> None:
    """Find out whether a server could listen there.

    Raises:
        UsageError: it could not, and why.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn's own
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}, port {port}: {error.strerror}; set another with --port"
            ) from None
