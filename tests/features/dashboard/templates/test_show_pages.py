"""The pages of one template: versions, what changed, and the way back to ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.dashboard.operators import OPS, make_dashboard
from tests.features.dashboard.templates.test_edit_page import ONE, SMS, save, text_of, typed
from tests.own_account import JO, signed_in
from tests.support import led_to

pytestmark = pytest.mark.anyio


async def test_every_template_of_every_language_has_its_page(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    for language in ("en", "de"):
        page = await ops.get(f"/auth/dashboard/templates?language={language}")
        assert page.status_code == 200
        assert "Nothing was changed in this language yet" in text_of(page)
    assert (await ops.get(SMS)).status_code == 200


@pytest.mark.parametrize(
    "query", ["language=xx", "language=", "other=1", "language=en&language=de"]
)
async def test_a_list_of_what_there_is_not(tmp_path: Path, query: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    status = 200 if query == "language=" else 400
    assert (await ops.get(f"/auth/dashboard/templates?{query}")).status_code == status


@pytest.mark.parametrize(
    "path",
    ["?view=other", "?before=x", "?x=1", "/compare?version=9", "/compare?with=-1",
     "/edit?version=9", "/frame?version=9", "/frame?view=x", "/frame?kind=x",
     "/compare?version=99999999999999999999"],
)  # fmt: skip
async def test_queries_that_are_not_admitted(tmp_path: Path, path: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{ONE}{path}")).status_code == 400


async def test_versions_are_compared_and_begun_with_again(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await save(ops, subject="First")
    await save(ops, subject="Second", seen="1")
    page = text_of(await ops.get(ONE))
    assert OPS in page
    assert "What changed" in page
    changed = await ops.get(f"{ONE}/compare?version=2")
    assert "<del>First</del>" in changed.text
    assert "<ins>Second</ins>" in changed.text
    assert "From version 1 to version 2." in text_of(changed)
    assert "From the default to version 2." in text_of(
        await ops.get(f"{ONE}/compare?version=2&with=0")
    )
    assert "Nothing changed" in text_of(await ops.get(f"{ONE}/compare?version=2&with=2"))
    again = typed(await ops.get(f"{ONE}/edit?version=1"))
    assert again["subject"] == "First"
    await save(ops, **again, seen="2")
    await site.browser().ask(JO)
    assert site.mail(JO).subject == "First"


async def test_ours_is_sent_again(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await save(ops)
    page = await ops.get(f"{ONE}/reset")
    assert "Version 1 is sent no more" in text_of(page)
    assert led_to(await ops.post(f"{ONE}/reset", {"seen": "1"})) == f"{ONE}?done=reset"
    await site.browser().ask(JO)
    assert "Hello" not in site.mail(JO).subject
    said = text_of(await ops.get(ONE))
    assert "The default is sent." in said
    assert (await ops.get(f"{ONE}/reset")).status_code == 200
    assert led_to(await ops.post(f"{ONE}/reset", {"seen": "2"})) == f"{ONE}?done=reset"
    assert "3" not in [word for word in said.split() if word.isdigit()]  # no third version


async def test_what_somebody_else_has_saved_is_not_taken_back_unseen(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await save(ops)
    other = await signed_in(site, OPS)
    await save(other, subject="Newer", seen="1")
    page = await ops.post(f"{ONE}/reset", {"seen": "1"})
    assert page.status_code == 409
    assert "has changed it meanwhile, in version 2" in text_of(page)
    await site.browser().ask(JO)
    assert site.mail(JO).subject == "Newer"


async def test_many_versions_are_paged(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    for version in range(22):
        await save(ops, subject=f"Number {version + 1}", seen=str(version))
    assert f"{ONE}?before=3" in (await ops.get(ONE)).text
    page = await ops.get(f"{ONE}?before=3")
    assert f"{ONE}/compare?version=2" in page.text
    assert f"{ONE}/compare?version=3" not in page.text


async def test_a_template_in_code_that_cannot_be_shown_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "email"
    folder.mkdir(parents=True)
    (folder / "signin.txt").write_text("{% for x in [1] %}{{ code }}{% endfor %}")
    (folder / "signup.txt").write_text("Welcome! {{ code }} {{ link }}")
    _, ops = await make_dashboard(tmp_path, templates=tmp_path / "own")
    for path in (ONE, f"{ONE}/edit"):
        assert "Your code has a template of its own" in text_of(await ops.get(path))
    await save(ops)
    assert "Your code has a template" not in text_of(await ops.get(ONE))
    signup = ONE.replace("signin", "signup")
    assert typed(await ops.get(f"{signup}/edit"))["text"] == "Welcome! {{ code }} {{ link }}\n"
    assert "Your code has a template" not in text_of(await ops.get(signup))
