"""Who the app is told it is, what caches keep, what mails carry (security rules 16, 18 and 19)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from pwless_middleware import EmailLogin, User
from pwless_middleware.core.logins.device import device_of
from tests.support import Browser, Site, cookie_header, http_scope, make_site, run, socket_scope

pytestmark = pytest.mark.anyio

FORGED: dict[str, Any] = {
    "user": "admin",
    "auth": "all",
    "state": {"user": "admin", "session": "s", "organization": "acme", "db": 1},
}


async def signed_in(**options: object) -> tuple[Site, Browser]:
    site = make_site(**options)  # type: ignore[arg-type]
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    return site, jo


async def test_a_forged_identity_is_overwritten_for_users_and_for_nobody() -> None:
    site, jo = await signed_in(public=["/open"])
    for scope in (http_scope, socket_scope):
        for cookies, email in ((cookie_header(jo), "jo@example.com"), ([], "")):
            state = dict(FORGED["state"])
            await run(site.app, scope("/open", headers=cookies, **{**FORGED, "state": state}))
            told = site.inner.scope
            assert told["user"].email == told["state"]["user"].email == email
            assert told["user"].is_authenticated is bool(email)
            assert told["auth"].scopes == (["authenticated"] if email else [])
            assert (told["state"]["session"] is not None) is bool(email)
            assert told["state"]["organization"] is None
            assert told["state"]["db"] == 1, "the lifespan's state stays"
            assert state == FORGED["state"], "and the caller's is untouched"


async def test_the_scope_of_the_caller_keeps_its_headers_and_its_state() -> None:
    site, jo = await signed_in()
    scope = http_scope(headers=cookie_header(jo), state={"db": 1})
    before = {key: (dict(v) if isinstance(v, dict) else v) for key, v in scope.items()}
    headers, state = list(scope["headers"]), scope["state"]
    await run(site.app, scope)
    told = {key: scope.pop(key) for key in ("user", "auth", "state")}
    assert told["state"]["user"] is told["user"]
    assert {**scope, "state": state} == before
    assert scope["headers"] == headers
    assert site.inner.scope is not scope


async def test_without_set_scope_user_only_the_state_tells() -> None:
    site, jo = await signed_in(set_scope_user=False)
    await jo.get("/private")
    assert "user" not in site.inner.scope
    assert "auth" not in site.inner.scope
    assert site.inner.scope["state"]["user"].email == "jo@example.com"


SPELLINGS = [
    b"remote-user",
    b"Remote-User",
    b"remote_user",
    b"REMOTE_USER",
    b"remote.user",
    b"remote~user",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("is_in", [True, False])
async def test_an_inbound_identity_header_is_dropped_in_every_spelling(
    spelling: bytes, is_in: bool
) -> None:
    """On public paths and sockets too: one real app believed a client's own `Remote-User`."""
    site, jo = await signed_in(identity_header="Remote-User", public=["/open"])
    cookies = cookie_header(jo) if is_in else []
    for scope in (http_scope, socket_scope):
        await run(site.app, scope("/open", headers=[*cookies, (spelling, b"admin"), (b"x", b"y")]))
        expected = [(b"x", b"y")] + ([(b"remote-user", b"jo@example.com")] if is_in else [])
        assert site.inner.scope["headers"] == expected


def test_the_name_of_the_header_can_be_asked() -> None:
    assert make_site(identity_header="Remote-User").passwordless.identities.header == "remote-user"
    assert make_site().passwordless.identities.header is None


async def test_headers_that_only_resemble_it_stay() -> None:
    site, _ = await signed_in(identity_header="Remote-User", public=["/open"])
    others = [(b"remote-users", b"1"), (b"x-remote-user", b"2"), (b"remoteuser", b"3")]
    await run(site.app, http_scope("/open", headers=others))
    assert site.inner.scope["headers"] == others


async def test_a_cookie_and_a_token_of_different_users_are_refused() -> None:
    site, jo = await signed_in(bearer=True, roomy=True)
    sent = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
    done = await site.backend().verify(sent, code=site.mail().code)
    kims = {"authorization": "Bearer " + done.json()["session_token"]}
    for path in ("/private", "/auth/api/v1/session"):
        assert (await jo.get(path, headers=kims)).status_code == 401
    bad = {"authorization": "Bearer pws_forged"}
    for path in ("/private", "/auth/api/v1/session"):
        assert (await jo.get(path, headers=bad)).status_code == 401, "nor does the cookie help"
    sent = (await site.backend().send("jo@example.com")).json()["auth_request_id"]
    done = await site.backend().verify(sent, code=site.mail().code)
    own = {"authorization": "Bearer " + done.json()["session_token"]}
    assert (await jo.get("/private", headers=own)).status_code == 200


async def test_without_bearer_a_token_opens_no_path_of_the_app() -> None:
    site = make_site(roomy=True)
    sent = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
    done = await site.backend().verify(sent, code=site.mail().code)
    token = {"authorization": "Bearer " + done.json()["session_token"]}
    visitor = site.browser(headers=token)
    assert (await visitor.get("/private")).status_code == 401
    assert (await visitor.get("/auth/api/v1/session")).status_code == 200


@pytest.mark.parametrize("is_in", [True, False])
async def test_what_an_app_adds_to_the_credentials_of_a_request_stays_in_it(is_in: bool) -> None:
    """Starlette's `auth.scopes` is a list; nobody may get the next request's rights by it."""
    seen: list[list[str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(list(scope["auth"].scopes))
        scope["auth"].scopes.append("admin")
        assert scope["auth"].scopes[-1] == "admin"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    site = make_site(app, public=["*"])
    jo = site.browser()
    if is_in:
        await jo.sign_in("jo@example.com")
    for _ in range(2):
        await run(site.app, http_scope("/x", headers=cookie_header(jo)))
    assert seen == [["authenticated"] if is_in else []] * 2


async def test_a_user_who_is_gone_from_the_table_is_nobody() -> None:
    class Table:
        gone = False
        other = False

        async def find(self, email: str) -> User | None:
            return User(id="1", email=email)

        create = find

        async def load(self, user_id: str) -> User | None:
            if self.gone:
                return None
            return User(id="2" if self.other else user_id, email="jo@example.com")

    table = Table()
    _, jo = await signed_in(users=table)
    assert await jo.who() == "jo@example.com"
    table.other = True
    assert await jo.who() is None, "load() answered with somebody else"
    table.other, table.gone = False, True
    assert await jo.who() is None


# --- caches (security rule 19) -------------------------------------------------------------------


def answering(headers: list[tuple[bytes, bytes]]) -> object:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


async def cached(
    *headers: tuple[bytes, bytes], path: str = "/x", is_in: bool = True
) -> list[object]:
    site = make_site(answering(list(headers)), public=["/open"])  # type: ignore[arg-type]
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    cookies = cookie_header(jo) if is_in else []
    return list((await run(site.app, http_scope(path, headers=cookies)))[0]["headers"])


PRIVATE = (b"cache-control", b"private, no-cache")
VARY = (b"vary", b"Cookie")


async def test_one_persons_page_is_kept_out_of_shared_caches() -> None:
    assert await cached() == [PRIVATE, VARY]
    assert await cached(path="/open") == [PRIVATE, VARY]


@pytest.mark.parametrize("name", [b"cache-control", b"Cache-Control"])
async def test_what_the_app_says_of_caching_stands_and_vary_is_added(name: bytes) -> None:
    assert await cached((name, b"no-store")) == [(name, b"no-store"), VARY]
    accept = (b"vary", b"Accept")
    assert await cached(accept) == [accept, PRIVATE, VARY], "appended, not replaced"


async def test_a_public_page_for_nobody_is_left_alone() -> None:
    assert await cached(path="/open", is_in=False) == []


# --- mail content (security rule 16) -------------------------------------------------------------


async def test_nothing_of_the_user_agent_is_mailed_but_a_name_from_our_own_list() -> None:
    site = make_site()
    agent = "Firefox/9 Linux <b>https://malicious.example</b> call 0555-12"
    await site.browser(headers={"user-agent": agent}).ask("jo@example.com")
    mail = site.mail()
    assert "Firefox on Linux" in mail.text
    for part in (mail.text, mail.html, mail.subject):
        assert "malicious" not in part
        assert "0555-12" not in part
    assert device_of("Mozilla/5.0 (malicious.example)") == "an unknown browser"


async def test_a_callers_words_never_become_markup_or_a_header() -> None:
    site = make_site()
    backend = site.backend()
    for word, status in (("<b>x</b>", 200), ("a\r\nBcc: eve@example.com", 400),
                         ("see https://evil.example", 400), ("WWW.evil.example", 400)):  # fmt: skip
        answer = await backend.send(f"jo{status}@example.com", template_variables={"name": word})
        assert answer.status_code == status
    assert "<b>x</b>" not in site.mail().html
    assert "\n" not in site.mail().subject


async def test_the_address_stands_in_no_header_but_to() -> None:
    site = make_site()
    await site.browser().ask("jo.public@example.com")
    assert site.mail().to == "jo.public@example.com"
    assert "jo.public" not in site.mail().subject


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "https://www.example.com/magic?x=1",
        "https://www.example.com/magic/",
        "HTTPS://www.example.com/magic",
        "https://www.example.com/magic#x",
        "https://www.example.com/magic ",
        "javascript:alert(1)",
    ],
)
async def test_a_link_goes_to_no_page_but_the_listed_ones(uri: str) -> None:
    site = make_site(features=[EmailLogin(link_uris=["https://www.example.com/magic"])])
    answer = await site.backend().send("jo@example.com", magiclink_auth_uri=uri)
    assert answer.status_code == 400
    assert site.outbox.messages == []


async def test_a_listed_page_gets_the_token_as_a_parameter() -> None:
    listed = "https://www.example.com/magic?a=b"
    site = make_site(features=[EmailLogin(link_uris=[listed])])
    answer = await site.backend().send("jo@example.com", magiclink_auth_uri=listed)
    assert answer.status_code == 200
    assert str(site.mail().link).startswith(listed + "&link_token=")


async def test_a_socket_without_an_origin_is_a_programs_unless_one_is_required() -> None:
    """Browsers always name the page that opens a socket (RFC 6455 §10.2)."""
    own, foreign = (b"origin", b"https://app.example.com"), (b"origin", b"https://evil.example")
    for is_required in (False, True):
        site, jo = await signed_in(require_socket_origin=is_required, bearer=True, roomy=True)
        cookies = cookie_header(jo)
        sent = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
        done = await site.backend().verify(sent, code=site.mail().code)
        token = (b"authorization", f"Bearer {done.json()['session_token']}".encode())
        for headers, is_in in (
            ([own, *cookies], True),
            ([foreign, *cookies], False),
            ([own, foreign, *cookies], False),
            ([foreign, own, *cookies], False),
            (cookies, not is_required),
            ([token], True),
        ):
            answer = await run(site.app, socket_scope(headers=headers))
            kind = "websocket.accept" if is_in else "websocket.close"
            assert answer[0]["type"] == kind, (is_required, headers)
        # Requests are no sockets.
        assert await jo.who() == "jo@example.com"


async def test_no_repr_of_an_identity_holds_a_secret_or_an_address() -> None:
    site, jo = await signed_in()
    signed = str(jo.cookie())
    identity = await site.passwordless.identities.of(http_scope(), signed)
    held = site.keeper.find_held(signed)
    assert identity.signed == signed
    shown = repr([identity, held])
    for secret in (signed, signed.partition(".")[0], "jo@example.com"):
        assert secret not in shown
