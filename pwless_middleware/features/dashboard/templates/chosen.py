"""The template that a path names: which mail, in which language, and what holds of it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.mail_template import MailTemplate, TemplateVersion
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.languages.catalogue import Catalogue
from pwless_middleware.rendering.mail_templates.mails import MAILS, Mail
from pwless_middleware.rendering.mail_templates.template import (
    Fault,
    ReadTemplate,
    Texts,
    find_warnings,
)
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.settings.mail_templates import MailTemplates

PATH: Final = "/dashboard/templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTemplate:
    """What a path names.

    Attributes:
        mail: which mail or text message.
        language: in which language.
        newest: the version that holds; `None` where it was never changed.
        texts: those that are sent.
    """

    mail: Mail
    language: Catalogue
    newest: TemplateVersion | None
    texts: Texts = field(repr=False)

    @property
    def path(self) -> str:
        """Of its page, below the prefix."""
        return f"{PATH}/{self.mail.name}/{self.language.code}"

    @property
    def version(self) -> int:
        """The version that holds; 0 where it was never changed."""
        return self.newest.version if self.newest is not None else 0

    @property
    def is_ours(self) -> bool:
        """Whether ours is sent."""
        return self.newest is None or self.newest.is_ours


class Chosen:
    """Find it.

    Args:
        kit: everything below.

    Attributes:
        templates: reads and changes them.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        # Which the dashboard has made sure of: it has a database, and is one of the product's own.
        self.templates = cast("MailTemplates", kit.mail_templates)

    async def find(self, request: Request) -> ChosenTemplate:
        """Return what the path of a request names.

        Raises:
            NotFound: there is no such mail, or language.
            StoreError: the database cannot be asked.
        """
        mail = MAILS.get(request.path_params["name"])
        code = request.path_params["language"]
        if mail is None or code not in self._kit.languages.codes:
            raise NotFound
        language = self._kit.languages[code]
        versions = await self.templates.versions(mail.name, code, limit=1)
        newest = versions[0] if versions else None
        texts = self.templates.rules.write_defaults(mail.name, language)
        if newest is not None and not newest.is_ours:
            stored = await self.templates.find(mail.name, code, newest.version)
            texts = texts if stored is None else texts_of(stored)
        return ChosenTemplate(mail=mail, language=language, newest=newest, texts=texts)

    async def texts_of_version(self, chosen: ChosenTemplate, version: int) -> Texts:
        """Return the texts that a version sends; ours for 0, and where it took back to them.

        Raises:
            InvalidArgument: there is no such version.
            StoreError: the database cannot be asked.
        """
        if version == 0:
            return self.defaults(chosen)
        name, language = chosen.mail.name, chosen.language.code
        stored = await self.templates.find(name, language, version)
        if stored is None:
            raise InvalidArgument.of("version", Text("There is no such version."), "version")
        return self.defaults(chosen) if stored.version.is_ours else texts_of(stored)

    def defaults(self, chosen: ChosenTemplate) -> Texts:
        """Return ours."""
        return self.templates.rules.write_defaults(chosen.mail.name, chosen.language)

    def warn(self, chosen: ChosenTemplate, template: ReadTemplate, size: int) -> tuple[Fault, ...]:
        """Return what a template lacks.

        Args:
            chosen: which mail.
            template: what is to be sent.
            size: bytes of its HTML part, as it is sent.
        """
        found = find_warnings(template, wanted=chosen.mail.wanted, size=size)
        if chosen.mail.channel == "email":
            return found
        return tuple(fault for fault in found if fault.part == "text")


def texts_of(template: MailTemplate) -> Texts:
    """Return the parts of a template that was saved."""
    return Texts(template.subject, template.text, template.html)


def path_of(request: Request) -> str:
    """Return the path of the template that a request names, below the prefix, if it is one."""
    name, language = request.path_params["name"], request.path_params["language"]
    return f"{PATH}/{quote(name, safe='')}/{quote(language, safe='')}"
