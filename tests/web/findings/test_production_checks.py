"""What the options alone tell; `tests/cli/checks/test_check.py` has the rest, by the command."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.delivery.texts.outbox import TextOutbox
from tests.support import make_site


class Texts:
    def mount(self, kit: Kit) -> Mounted:
        return Mounted(text_senders=(TextOutbox(),))


def find(**options: Any) -> dict[str, Finding]:
    site = make_site(**options)
    return {finding.check: finding for finding in site.passwordless.findings.of_options()}


@pytest.mark.parametrize(
    ("base_url", "level"), [("https://app.example.com", "fail"), ("http://localhost:8000", "warn")]
)
def test_a_text_outbox_sends_nothing(base_url: str, level: str) -> None:
    found = find(base_url=base_url, features=[EmailLogin(), Texts()])["text_messages"]
    assert found.level == level
    assert "nobody gets a code on their phone" in found.message
    assert "text_messages" not in find(base_url=base_url)


def test_a_store_in_memory_is_a_warning_where_the_number_of_processes_is_not_known() -> None:
    assert find()["workers"].level == "warn"
