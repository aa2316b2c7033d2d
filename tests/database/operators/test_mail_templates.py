"""Templates in the database: the contract, over every kind and the double in memory (security
rule 63)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.operators.mail_template import MailTemplate, TemplateVersion
from pwless_middleware.database.operators.mail_templates import MailTemplateRepository
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def templates(repositories: Repositories) -> MailTemplateRepository:
    return repositories.mail_templates


def template(
    version: int, name: str = "signin", language: str = "en", *, by: str = "operator:jo"
) -> MailTemplate:
    head = TemplateVersion(name=name, language=language, version=version, at=NOW + version, by=by)
    return MailTemplate(version=head, subject=f"Hi {version}", text="a\nü", html="<p>'\"</p>")


async def test_a_version_is_found_as_it_was_added(templates: MailTemplateRepository) -> None:
    assert await templates.newest() == []
    one = template(1)
    assert await templates.add(one)
    assert await templates.find("signin", "en", 1) == one
    assert await templates.newest() == [one.version]
    for name, language, version in (("signin", "en", 2), ("signin", "de", 1), ("x", "en", 1)):
        assert await templates.find(name, language, version) is None


async def test_each_mail_and_language_has_versions_of_its_own(
    templates: MailTemplateRepository,
) -> None:
    for one in (template(1), template(1, language="de"), template(1, "signup"), template(2)):
        assert await templates.add(one)
    newest = [(one.name, one.language, one.version) for one in await templates.newest()]
    assert newest == [("signin", "de", 1), ("signin", "en", 2), ("signup", "en", 1)]


async def test_that_ours_holds_again_is_a_version(templates: MailTemplateRepository) -> None:
    await templates.add(template(1))
    ours = MailTemplate(version=replace(template(2).version, is_ours=True))
    assert await templates.add(ours)
    [newest] = await templates.newest()
    assert newest.is_ours
    assert await templates.find("signin", "en", 2) == ours


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_only_the_next_version_is_taken(
    version: int, templates: MailTemplateRepository
) -> None:
    await templates.add(template(1))
    assert not await templates.add(template(version, by="kim"))
    assert await templates.newest() == [template(1).version]


async def test_of_many_who_make_the_same_version_one_does(
    templates: MailTemplateRepository,
) -> None:
    made = await asyncio.gather(*(templates.add(template(1, by=f"by {n}")) for n in range(8)))
    assert sum(made) == 1
    [newest] = await templates.newest()
    assert newest.by == f"by {made.index(True)}"


async def test_versions_are_listed_the_newest_first_page_by_page(
    templates: MailTemplateRepository,
) -> None:
    for version in range(1, 6):
        await templates.add(template(version))
    await templates.add(template(1, "signup"))
    pages, before = [], 0
    while page := await templates.list("signin", "en", before=before, limit=2):
        pages.append([one.version for one in page])
        before = page[-1].version
    assert pages == [[5, 4], [3, 2], [1]]


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    told = [Event(at=NOW, kind="template.changed", id=format_event_id(NOW, n)) for n in range(2)]
    assert await repositories.mail_templates.add(template(1), audit=told[0])
    assert not await repositories.mail_templates.add(template(1), audit=told[1])
    found = await repositories.events.find(EventFilter())
    assert [stored.event.id for stored in found] == [told[0].id]


async def test_who_is_erased_is_not_named_any_more(templates: MailTemplateRepository) -> None:
    await templates.add(template(1))
    await templates.add(template(2, by="operator:kim"))
    await templates.erase("jo")
    second, first = await templates.list("signin", "en")
    assert second.by == "operator:kim"
    assert first.by.startswith("operator:")
    assert "jo" not in first.by
    found = await templates.find("signin", "en", 1)
    assert found is not None
    assert found.text == "a\nü"
