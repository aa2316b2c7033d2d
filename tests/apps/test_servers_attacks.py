"""What strangers write into paths, hosts and cookies changes nothing, on every server."""

from __future__ import annotations

import pytest

from tests.apps.person import Person
from tests.apps.places import SERVERS, Site, needs
from tests.apps.raw import exchange, head, status

needs("hypercorn", "granian", "httptools")

APP = "tests.apps.served.bare:app"
PLACES = SERVERS
pytestmark = pytest.mark.usefixtures("quiet")


@pytest.mark.parametrize(
    "path",
    [
        "/open%2f..%2fsecret",
        "/open/..%2fsecret",
        "/open/%2e%2e/secret",
        "/open/%2e%2e%2fsecret",
        "/open/%252e%252e/secret",
        "/open/..%5csecret",
        "/open%5c..%5csecret",
        "/open/%25",
        "/open/x%0ay",
        "/open/x%0d%0ay",
        "/open/%00",
        "/open/../secret",
        "/open//secret",
        "//open/x",
        "/open/./../secret",
        "/open%0a",
        "/openly",
        "/Open/x",
        "/open%2fx",
    ],
)
def test_a_path_that_two_readers_could_take_differently_is_never_public(
    site: Site, path: str
) -> None:
    # A server may refuse it itself (400), and then nothing is shown either.
    assert status(exchange(site, head(site, path))) in (400, 401)


def test_a_plain_public_path_is_public(site: Site) -> None:
    answer = exchange(site, head(site, "/open/a%20file%C3%A9"))
    assert status(answer) == 200
    assert b'"user": null' in answer


def test_an_absolute_request_target_changes_nothing(site: Site) -> None:
    """RFC 9112 §3.2.2 lets a client write the whole URL; its path counts, not its host."""
    answer = exchange(site, head(site, "http://evil.example/open/../secret"))
    assert status(answer) in (400, 401)


def test_a_forged_host_changes_nothing(site: Site, member: Person) -> None:
    forged = (
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "Forwarded: host=evil.example",
        "X-Forwarded-Prefix: /evil",
    )
    answer = exchange(site, head(site, "/page", *forged, host="evil.example"))
    assert status(answer) == 401
    asked = exchange(
        site, head(site, "/page?x=1", "Accept: text/html", *forged, host="evil.example")
    )
    assert status(asked) == 303
    login = f"location: {member.origin}/auth/login?next=%2fpage%3fx%3d1\r\n"
    assert login.encode() in asked.lower()
    with_cookie = head(site, "/page", f"Cookie: {member.cookies}", *forged, host="evil.example")
    assert status(exchange(site, with_cookie)) == 200
    assert status(exchange(site, head(site, "/auth/outbox", host="evil.example"))) == 404


def test_a_mail_asked_for_with_a_forged_host_leads_to_us(site: Site, stranger: Person) -> None:
    body = "email=forged%40example.com"
    request = head(
        site,
        "/auth/login",
        f"Origin: {stranger.origin}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        host="evil.example",
    )
    answer = exchange(site, request.replace("GET", "POST") + body)
    assert status(answer) == 303
    assert b"evil" not in answer
    mailbox = stranger.mails()
    assert "forged@example.com" in mailbox
    assert "evil" not in mailbox


def test_a_forged_cookie_is_nobody(site: Site, member: Person) -> None:
    name, value = member.session_cookie
    twice = f"{value}; {name}={value}"
    for forged in (value[:-1], value + "x", value.upper(), f'"{value}"', twice):
        answer = exchange(site, head(site, "/page", f"Cookie: {name}={forged}"))
        assert status(answer) == 401, forged


def test_a_header_too_large_is_an_answer_and_not_a_crash(site: Site) -> None:
    answer = exchange(site, head(site, "/open/x", "Cookie: " + "pwless=a; " * 1500))
    assert status(answer) in (200, 400, 431)
