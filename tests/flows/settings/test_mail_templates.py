"""Templates at work: what an operator saves is what is sent, everywhere (security rule 64)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.operators.mail_template import MailTemplate
from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.settings.mail_templates import (
    MailTemplates,
    TemplateConflict,
    TemplateRefused,
)
from pwless_middleware.rendering.mail_templates.mails import MAILS
from pwless_middleware.rendering.mail_templates.template import Texts
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"
BY = "operator:u-1"
GOOD = Texts(
    "Hello from {{ brand.name }}",
    "Your code is {{ code }}\n\n{{ link }}",
    '<p>Your code is <b>{{ code }}</b></p><a href="{{ link }}">Go on</a>',
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A file: how each kind of database keeps templates is the contract's to say."""
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield database
    await database.aclose()


def site_of(database: Database, *, beside: Site | None = None) -> Site:
    """Make a site on a database; `beside` is another process's, on the same store."""
    if beside is None:
        return make_site(database=database, roomy=True)
    return make_site(database=database, roomy=True, store=beside.store, clock=beside.clock)


def templates_of(site: Site) -> MailTemplates:
    found = site.passwordless._kit.mail_templates
    assert found is not None
    return found


async def save(site: Site, texts: Texts = GOOD, *, seen: int = 0, language: str = "en") -> None:
    await templates_of(site).save("signin", language, texts, seen=seen, by=BY)


async def test_what_is_saved_is_sent_with_the_next_mail(database: Database) -> None:
    site = site_of(database)
    await save(site)
    await site.browser().ask(EMAIL)
    mail = site.mail(EMAIL)
    assert mail.subject == "Hello from app.example.com"
    assert mail.text == f"Your code is {mail.code}\n\n{mail.link}\n"
    html = mail.html
    assert f"<b>{mail.code}</b>" in html
    assert html.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert "<title>Hello from app.example.com</title>" in html
    assert "prefers-color-scheme: dark" in html


async def test_a_code_from_it_signs_in(database: Database) -> None:
    site = site_of(database)
    await save(site)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    assert await jo.who() == EMAIL


async def test_each_language_has_its_own(database: Database) -> None:
    site = site_of(database)
    await save(site, language="de")
    await site.browser().ask(EMAIL)
    assert "Hello" not in site.mail(EMAIL).subject
    await site.browser(headers={"accept-language": "de"}).ask("kim@example.com")
    assert "Hello" in site.mail("kim@example.com").subject


async def test_another_process_sends_it_within_100_ms(database: Database) -> None:
    site = site_of(database)
    other = site_of(database, beside=site)
    await other.browser().ask(EMAIL)
    assert "Hello" not in other.mail(EMAIL).subject
    await save(site)
    # Heard at once, and read before the next mail, whether or not a loop has read it meanwhile.
    await other.browser().ask("kim@example.com")
    assert "Hello" in other.mail("kim@example.com").subject
    await templates_of(site).reset("signin", "en", seen=1, by=BY)
    await other.browser().ask("lee@example.com")
    assert "Hello" not in other.mail("lee@example.com").subject


async def test_a_process_that_begins_knows_it_with_the_first_mail(database: Database) -> None:
    await save(site_of(database))
    site = site_of(database)
    await site.browser().ask(EMAIL)
    assert "Hello" in site.mail(EMAIL).subject


async def test_a_bad_template_is_refused_with_line_and_reason(database: Database) -> None:
    site = site_of(database)
    bad = GOOD._replace(html='<p>x</p>\n<img src="https://evil.example/?{{ code }}">')
    with pytest.raises(TemplateRefused) as refused:
        await save(site, bad)
    [fault] = refused.value.faults
    assert (fault.part, fault.line) == ("html", 2)
    assert await templates_of(site).newest() == {}
    await site.browser().ask(EMAIL)
    assert "evil.example" not in site.mail(EMAIL).html


async def test_who_saves_what_somebody_else_has_changed_is_told(database: Database) -> None:
    site = site_of(database)
    await save(site)
    other = GOOD._replace(subject="Other")
    with pytest.raises(TemplateConflict) as conflict:
        await save(site, other, seen=0)
    assert conflict.value.newest.version == 1
    assert conflict.value.newest.by == BY
    with pytest.raises(TemplateConflict):
        await templates_of(site).reset("signin", "en", seen=0, by=BY)
    await site.browser().ask(EMAIL)
    assert "Hello" in site.mail(EMAIL).subject


async def test_of_several_who_save_at_once_one_does(database: Database) -> None:
    site = site_of(database)
    saves = [save(site, GOOD._replace(subject=f"By {n}")) for n in range(5)]
    done = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(one) for one in done].count(TemplateConflict) == 4
    assert len(await templates_of(site).versions("signin", "en")) == 1


async def test_a_change_is_told_with_who_and_from_what_to_what(database: Database) -> None:
    site = site_of(database)
    await save(site)
    await save(site, GOOD._replace(subject="Second"), seen=1)
    await templates_of(site).reset("signin", "en", seen=2, by="operator:u-2")
    await save(site, seen=3)
    told = [one for one in site.passwordless.events.recent() if one.kind == "template.changed"]
    assert [(one.by, one.details) for one in reversed(told)] == [
        (by, {"name": "signin", "language": "en", "from": old, "to": new})
        for by, old, new in [
            (BY, "ours", "1"),
            (BY, "1", "2"),
            ("operator:u-2", "2", "ours"),
            (BY, "ours", "4"),
        ]
    ]


async def test_one_that_cannot_be_used_is_no_lost_mail(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a move to another address, whose links are not those of the template."""
    site = site_of(database)
    await save(site)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    good = await templates_of(site).find("signin", "en", 1)
    assert good is not None
    version = replace(good.version, version=2)
    bad = MailTemplate(version=version, subject="x", text="{{ code|x }}", html="<script>")
    assert await repositories.mail_templates.add(bad)
    other = site_of(database)
    with caplog.at_level(logging.ERROR, "pwless.mail_templates"):
        for address in (EMAIL, "kim@example.com"):
            await other.browser().ask(address)
            mail = other.mail(address)
            assert mail.code is not None
            assert mail.code in mail.html
    assert len(caplog.records) == 1
    told = [one for one in other.passwordless.events.recent() if one.kind == "template.failed"]
    assert [(one.reason, one.details) for one in told] == [
        ("refused", {"name": "signin", "language": "en", "version": "2"})
    ]


async def test_a_damaged_row_is_no_lost_mail(database: Database, tmp_path: Path) -> None:
    site = site_of(database)
    await save(site)
    await save(site, language="de")
    with closing(sqlite3.connect(tmp_path / "pwless.db")) as connection:
        connection.execute("UPDATE pwless_mail_templates SET html = x'ff' WHERE language = 'en'")
        connection.commit()
    other = site_of(database)
    await other.browser().ask(EMAIL)
    assert "Hello" not in other.mail(EMAIL).subject
    await other.browser(headers={"accept-language": "de"}).ask("kim@example.com")
    assert "Hello" in other.mail("kim@example.com").subject
    told = [one.kind for one in other.passwordless.events.recent()]
    assert told.count("template.failed") == 1


async def test_one_that_cannot_be_filled_is_no_lost_mail(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    site = site_of(database)
    await save(site, GOOD._replace(text="Your code is {{ otp }}"))
    renderer = site.passwordless._kit.renderer
    with caplog.at_level(logging.ERROR, "pwless.mail_templates"):
        mail = renderer.email("signin", **SAMPLE)  # without `otp`, which ours does not name
    assert "271828" in mail.html
    assert "Hello" not in mail.subject
    assert any(record.exc_info for record in caplog.records)
    told = [one.kind for one in site.passwordless.events.recent()]
    assert told.count("template.failed") == 1


SAMPLE: dict[str, Any] = {
    **{one.name: "x" for one in MAILS["signin"].variables if one.name != "otp"},
    "kind": "OTP",
    "code": "271828",
    "subject_code": None,
    "link": None,
}


async def test_a_database_that_is_down_holds_up_no_mail(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    site = site_of(database)
    await save(site)
    current = templates_of(site)._current

    async def fail() -> None:
        raise StoreError("down")

    current._repository.newest = fail  # type: ignore[method-assign, assignment]
    current.look()
    await site.browser().ask(EMAIL)
    assert "Hello" in site.mail(EMAIL).subject
    await database.aclose()


@pytest.mark.parametrize("is_ours", [True, False])
async def test_what_a_brand_is_called_becomes_no_link(database: Database, is_ours: bool) -> None:
    """Else an operator's name for it would lead to where no link may, with what stands behind."""
    brand = Brand("evil.example/")
    site = make_site(database=database, roomy=True, brand=brand)
    if not is_ours:
        await save(site, GOOD._replace(text="{{ brand.name }} {{ code }}"))
    await site.browser().ask(EMAIL)
    mail = site.mail(EMAIL)
    for part in (mail.text, mail.html.partition("<body")[2]):
        assert "evil.example" not in part
    assert "evil.\u2060example/\u2060" in mail.text
    assert "evil.example/" in mail.subject


async def test_a_variable_of_a_caller_becomes_neither_markup_nor_link(
    database: Database, tmp_path: Path
) -> None:
    """Security rule 16, for the variables that the host's own templates want."""
    folder = tmp_path / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "signin.txt").write_text("{{ company }} {{ code }} {{ link }}")
    site = make_site(database=database, roomy=True, templates=tmp_path / "templates")
    await save(site, GOOD._replace(html="<p>{{ company }} {{ code }}</p>"))
    variables = {"company": "<b>evil.example</b>"}
    answer = await site.backend().send(EMAIL, template_variables=variables)
    assert answer.status_code == 200
    html = site.mail(EMAIL).html
    assert "&lt;b&gt;evil.\u2060example&lt;" in html
