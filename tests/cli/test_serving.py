"""How uvicorn is started."""

from __future__ import annotations

import logging
import logging.config
import socket
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from uvicorn.config import LOGGING_CONFIG

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.serving import WithoutQuery, check_port, log_config


@pytest.fixture
def access_log() -> Iterator[logging.Logger]:
    """uvicorn's access log, set up by us; as it was afterwards."""
    logger = logging.getLogger("uvicorn.access")
    before = logger.handlers[:], logger.level, logger.propagate
    logging.config.dictConfig(log_config())
    yield logger
    logger.handlers[:], logger.level, logger.propagate = before


def test_the_access_log_holds_no_link_token(
    access_log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    # The handler writes to the stream that was there as it was made: make it anew.
    logging.config.dictConfig(log_config())
    arguments = ("127.0.0.1:9", "GET", "/auth/link?link_token=secret", "1.1", 200)
    access_log.info('%s - "%s %s HTTP/%s" %d', *arguments)
    out = capsys.readouterr().out
    assert "GET /auth/link HTTP/1.1" in out
    assert "secret" not in out


def test_uvicorns_own_configuration_is_left_alone() -> None:
    before = deepcopy(LOGGING_CONFIG)
    log_config()
    assert before == LOGGING_CONFIG


def test_a_record_of_another_shape_passes() -> None:
    record: Any = logging.LogRecord("x", 20, "", 0, "%s", ("a?b",), None)
    assert WithoutQuery().filter(record)
    assert record.getMessage() == "a?b"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1, port {port}: Address already in use"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)
    check_port("::1", 0)
