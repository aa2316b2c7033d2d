"""What people type and paste, through pages and JSON: one guess stays one guess."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.support import (
    ROOMY,
    Site,
    cookie_header,
    http_scope,
    make_site,
    run,
    token_of,
    wrong,
)

pytestmark = pytest.mark.anyio


def roomy(**options: object) -> Site:
    return make_site(features=[EmailLogin(send_limits=ROOMY, **options)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "typed", ["Your code: {}", "{} is your code.", "\u2066{}\ufeff", "@app.example.com #{}"]
)
@pytest.mark.parametrize("style", ["standard", "high"])
async def test_a_code_pasted_with_what_stood_around_it_signs_in(style: str, typed: str) -> None:
    site = roomy(code=style)
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(typed.format(site.mail().code))).status_code == 303
    backend = site.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    code = typed.format(site.mail().code)
    assert (await backend.verify(request_id, code=code)).status_code == 200


async def test_a_code_in_other_digits_is_one_try_like_any_other() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    bad = wrong(site.mail().code).replace(" ", "")
    arabic = "".join(chr(0x660 + int(digit)) for digit in bad)
    shapes = [bad, arabic, f"{bad[:3]} {bad[3:]}", f"Your code: {bad}", f"\u200b{bad}"]
    left = []
    for shape in shapes:
        answer = await jo.type_code(shape)
        assert answer.status_code == 400
        left.append(answer.text.count("left"))
    assert (await jo.type_code(bad)).status_code == 429, "five tries were five"


async def test_two_codes_in_one_text_are_none_and_cost_no_try() -> None:
    """Else each try would be two guesses."""
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = str(site.mail().code)
    for text in (f"{code} {wrong(code)}", f"{wrong(code)}, {code}", f"{code}\n{wrong(code)}"):
        answer = await jo.type_code(text)
        assert answer.status_code == 400
        assert "Type the 6 digits" in answer.text
    for _ in range(6):
        await jo.type_code(f"{code} {wrong(code)}")
    assert (await jo.type_code(code)).status_code == 303


DAMAGES = [
    "{}.", "{}>", "{})", "{}]", "{}%22", "{}'", "{},", "{};", "{}%20", "{}?utm_source=mail",
    "{}&amp;utm_source=mail", "%0D%0A{}", "{}%E2%80%8B", "%3C{}%3E",
]  # fmt: skip


@pytest.mark.parametrize("damage", [*DAMAGES, "cut", "upper", "encoded", "second"])
async def test_a_damaged_link_opens_and_its_button_signs_in(damage: str) -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    token = token_of(site.mail().link)
    query = {
        "cut": f"link_token={token[:30]}%0D%0A{token[30:60]}%20{token[60:]}",
        "upper": f"LINK_TOKEN={token.upper()}",
        "encoded": f"link_token%3D{token}",
        "second": f"utm_source=mail?link_token={token}?utm_medium=email",
    }.get(damage, f"link_token={damage.format(token)}")
    page = await jo.get(f"/auth/link?{query}")
    assert page.status_code == 200
    assert f'value="{token}"' in page.text, "the form holds the one spelling"
    assert (await jo.post("/auth/link", {"link_token": token})).status_code == 303
    again = await jo.get(f"/auth/link?{query}")
    assert "already" in again.text or again.status_code == 410 or "signed in" in again.text


async def test_every_spelling_of_a_link_is_the_same_link_and_spent_with_it() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    token = token_of(site.mail().link)
    spellings = [token.upper(), f"{token}.", f"{token[:9]} {token[9:]}", str(site.mail().link)]
    assert (await jo.post("/auth/link", {"link_token": spellings[0]})).status_code == 303
    for spelling in [token, *spellings]:
        assert (await jo.post("/auth/link", {"link_token": spelling})).status_code == 410


async def test_a_link_pasted_where_the_code_goes_signs_in_here_alone() -> None:
    site = roomy()
    jo, eve = site.browser(), site.browser(ip="198.51.100.6")
    await jo.ask("jo@example.com")
    link = str(site.mail().link)
    await eve.ask("eve@example.com")
    assert (await eve.type_code(link)).status_code == 403
    assert await eve.who() is None
    assert (await jo.type_code(f" {link}\r\n")).status_code == 303
    assert await jo.who() == "jo@example.com"


async def test_the_json_verify_reads_a_damaged_token_too() -> None:
    uri = "https://www.example.com/magic"
    site = make_site(features=[EmailLogin(send_limits=ROOMY, link_uris=[uri])])
    backend = site.backend()
    sent = (await backend.send("jo@example.com", magiclink_auth_uri=uri)).json()
    token = token_of(site.mail().link)
    damaged = f"{token[:40]}\r\n{token[40:].upper()}."
    answer = await backend.verify(sent["auth_request_id"], link_token=damaged)
    assert answer.status_code == 200


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"%ff%fe", b"\x00", b"&\xc3"])
async def test_bytes_of_no_encoding_behind_a_link_are_no_error(damage: bytes) -> None:
    """The URL as Starlette reads it raises for bytes that are no UTF-8, and so answered 500."""
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    query = b"link_token=" + token_of(site.mail().link).encode() + damage
    scope = http_scope("/auth/link", query_string=query, headers=cookie_header(jo))
    assert (await run(site.app, scope))[0]["status"] == 200
    only = http_scope("/auth/link", query_string=damage)
    assert (await run(site.app, only))[0]["status"] == 410
