"""`magiclink_auth_uri` leads to listed pages alone, however it is spelled."""

from __future__ import annotations

import pytest

from pwless_middleware import ConfigError, EmailLogin
from pwless_middleware.features.email_login.link_uris import LinkUris
from tests.support import make_site, token_of

FOLDER = "https://www.example.com/magic/*"


@pytest.mark.parametrize(
    "uri",
    [
        "https://www.example.com/magic/",
        "https://www.example.com/magic/in",
        "https://www.example.com/magic/a/b.c?from=mail&to=%2Fhome",
        "https://www.example.com/magic/..a/b..?x=/../y",
    ],
)
def test_what_is_below_a_listed_folder_is_allowed(uri: str) -> None:
    assert LinkUris([FOLDER]).allows(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://www.example.com/magic",
        "https://www.example.com/magicians",
        "https://www.example.com/",
        "http://www.example.com/magic/in",
        "https://www.example.com:8443/magic/in",
        "https://www.example.com.evil.example/magic/in",
        "https://WWW.example.com/magic/in",
        "https://jo@www.example.com/magic/in",
        "https://www.example.com/magic/../evil",
        "https://www.example.com/magic/./../evil",
        "https://www.example.com/magic/%2e%2E/evil",
        "https://www.example.com/magic/.%2e/evil",
        "https://www.example.com/magic/..;/evil",
        "https://www.example.com/magic/..%3Bx=y/evil",
        "https://www.example.com/magic/a%2f..%2f..%2fevil",
        "https://www.example.com/magic/a%5c..%5c..",
        "https://www.example.com/magic/..\\evil",
        "https://www.example.com/magic/..",
        "https://www.example.com/magic/in#part",
        "https://www.example.com/magic/in\n",
        "https://www.example.com/magic/\tin",
        "https://www.example.com/magic/ü",
        FOLDER[:-1] + "\x00",
    ],
)
def test_what_leaves_a_listed_folder_is_refused(uri: str) -> None:
    assert not LinkUris([FOLDER]).allows(uri)


def test_a_whole_origin_may_be_listed_and_ends_at_its_host() -> None:
    uris = LinkUris(["https://www.example.com/*"])
    assert uris.allows("https://www.example.com/")
    assert not uris.allows("https://www.example.com")
    assert not uris.allows("https://www.example.com@evil.example/")


def test_an_exact_entry_allows_nothing_below_it() -> None:
    uris = LinkUris(["https://www.example.com/magic?from=mail"])
    assert uris.allows("https://www.example.com/magic?from=mail")
    assert not uris.allows("https://www.example.com/magic?from=mail&more")
    assert not LinkUris([]).allows("https://www.example.com/magic")


@pytest.mark.parametrize(
    "uri",
    [
        "https://*.example.com/magic",
        "https://*/magic",
        "https://www.example.com*",
        "https://www.example.com/*/magic",
        "https://www.example.com/magic*",
        "https://www.example.com/magic?to=/*",
        "https://www.example.com/a\\b",
        "http://www.example.com/*",
        "/*",
        "*",
    ],
)
def test_a_pattern_in_another_place_is_a_config_error(uri: str) -> None:
    with pytest.raises(ConfigError, match="link_uris"):
        EmailLogin(link_uris=[uri])


@pytest.mark.anyio
async def test_the_token_is_appended_to_the_page_that_was_named() -> None:
    site = make_site(features=[EmailLogin(link_uris=[FOLDER])])
    page = "https://www.example.com/magic/in?from=mail"
    response = await site.backend().send("jo@example.com", magiclink_auth_uri=page)
    assert response.json()["passwordless_type"] == "LINK_OTP"
    link = site.mail().link
    assert link is not None
    assert link.startswith(f"{page}&link_token=")
    request_id = response.json()["auth_request_id"]
    done = await site.backend().verify(request_id, link_token=token_of(link))
    assert done.status_code == 200


@pytest.mark.anyio
async def test_a_page_that_is_not_listed_is_400_and_names_the_option() -> None:
    site = make_site(features=[EmailLogin(link_uris=[FOLDER])])
    page = "https://www.example.com/magic/../evil"
    response = await site.backend().send("jo@example.com", magiclink_auth_uri=page)
    assert response.status_code == 400
    assert "link_uris" in response.text
    assert not site.outbox.messages


@pytest.mark.anyio
async def test_strangers_read_no_listed_page_in_the_openapi_document() -> None:
    site = make_site(features=[EmailLogin(link_uris=["https://internal.example.com/magic"])])
    response = await site.browser().request("GET", "/auth/api/v1/openapi.json")
    assert "internal.example.com" not in response.text
