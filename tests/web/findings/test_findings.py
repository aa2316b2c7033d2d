"""What features look at, for `pwless check` and the dashboard."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import StoreError
from tests.support import make_site

pytestmark = pytest.mark.anyio


class Looks:
    """Find what it is told to, or fail."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self.error = error

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(findings=(self.look,))

    async def look(self, *, may_ask: bool) -> Sequence[Finding]:
        if self.error is not None:
            raise self.error
        return [Finding("warn", self.name, f"asked: {may_ask}")]


async def find(*features: Looks, may_ask: bool = True) -> list[str]:
    findings = make_site(features=[EmailLogin(), *features]).passwordless.findings
    return [str(one) for one in await findings.of_features(may_ask=may_ask)]


async def test_every_feature_is_asked_in_order() -> None:
    assert await find(Looks("a"), Looks("b"), may_ask=False) == [
        "warn  a              asked: False",
        "warn  b              asked: False",
    ]


async def test_one_that_fails_hides_no_other_and_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="pwless.check"):
        found = await find(Looks("a", ValueError("s3cret")), Looks("b"))
    assert [line.split()[1] for line in found] == ["b"]
    assert [record.name for record in caplog.records] == ["pwless.check"]
    assert "s3cret" not in caplog.text


async def test_a_database_that_cannot_be_asked_is_told_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert len(await find(Looks("a", StoreError("it hangs")), Looks("b"))) == 1
    assert caplog.records == []
