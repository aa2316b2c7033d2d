"""Which mails there are: all that the product sends, with all that they can name."""

from __future__ import annotations

from pathlib import Path

import pwless_middleware
from pwless_middleware.core.brand import Brand
from pwless_middleware.rendering.mail_templates.mails import MAILS
from pwless_middleware.rendering.renderer import Renderer

FOLDER = Path(pwless_middleware.__file__).parent / "templates" / "email"


def test_every_mail_is_described() -> None:
    """A new one is added to `MAILS`, so that operators can edit it."""
    there_are = {file.name.removesuffix(".subject.txt") for file in FOLDER.glob("*.subject.txt")}
    described = {mail.name for mail in MAILS.values() if mail.channel == "email"}
    assert described == there_are


def test_its_own_variables_are_those_of_its_templates() -> None:
    renderer = Renderer(brand=Brand("x"), templates=None, prefix="/auth")
    for mail in MAILS.values():
        if mail.channel == "email":
            named = {one.name for one in mail.own}
            assert named == renderer.template_variables(mail.name), mail.name


def test_every_variable_is_explained_once() -> None:
    for mail in MAILS.values():
        names = [one.name for one in mail.variables]
        assert len(names) == len(set(names))
        assert all(one.meaning.endswith(".") for one in mail.variables)
