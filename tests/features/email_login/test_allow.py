"""Who is served: a list, or the host's own rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pwless_middleware import ConfigError, EmailLogin
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio


def _plain(email: str) -> bool:
    return email.endswith("@acme.example")


async def _waiting(email: str) -> bool:
    return _plain(email)


def _site(allow: Any) -> Site:
    return make_site(features=[EmailLogin(allow=allow)])


@pytest.mark.parametrize("allow", [_plain, _waiting, ["*@acme.example"]])
async def test_a_function_decides_as_a_list_does(allow: Callable[[str], bool]) -> None:
    site = _site(allow)
    jo, eve = site.browser(), site.browser()
    await jo.sign_in("Jo@ACME.example")
    assert await jo.who() == "jo@acme.example"
    answer = await eve.ask("eve@evil.example")
    assert answer.status_code == 303, "strangers see the same page"
    assert [message.to for message in site.outbox.messages] == ["jo@acme.example"]


async def test_who_is_not_allowed_any_more_has_a_code_that_is_wrong() -> None:
    allowed = {"jo@acme.example"}
    site = _site(allowed.__contains__)
    jo = site.browser()
    await jo.ask("jo@acme.example")
    allowed.clear()
    answer = await jo.type_code(site.mail().code)
    assert answer.status_code == 400
    assert site.sessions == 0


async def test_a_function_that_fails_lets_nobody_in_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_up = True

    def allow(email: str) -> bool:
        if not is_up:
            raise OSError(f"no route to {email}")
        return True

    site = _site(allow)
    jo = site.browser()
    await jo.ask("jo@acme.example")
    is_up = False
    answer = await jo.type_code(site.mail().code)
    assert answer.status_code == 503
    assert site.sessions == 0
    assert "allow=" in caplog.text
    assert "jo@acme.example" not in caplog.text


@pytest.mark.parametrize(
    "allow", ["*@acme.example", [1], ["acme.example"], ["*@*"], ["jo*@acme.example"], bool, 7]
)
def test_what_is_no_rule_is_a_config_error(allow: Any) -> None:
    with pytest.raises(ConfigError, match="allow"):
        EmailLogin(allow=allow)
