"""The page that lists all templates of one language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.operators.mail_template import TemplateVersion
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.templates.chosen import PATH, Chosen
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.rendering.mail_templates.mails import MAILS
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

_QUERY = Fields({"language": Field(about="The code of a language.", longest=35)})


class Row(NamedTuple):
    """One template of the list.

    Attributes:
        path: of its page, below the prefix.
        title: what it is for.
        version: that is sent; 0 where it is ours.
        by: who made it; empty for ours.
        at, iso: when it was made; empty where it was never changed.
    """

    path: str
    title: str
    version: int
    by: str
    at: str
    iso: str


class ListPage:
    """Show the list.

    Args:
        kit: everything below.
        chosen: finds templates.
    """

    def __init__(self, kit: Kit, chosen: Chosen) -> None:
        self._kit = kit
        self._templates = chosen.templates
        self._makers = Makers(kit)
        self.routes = (Route(PATH, {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Show all templates of one language, the default's first."""
        operator = await self._kit.operators.require(request)
        languages = self._kit.languages
        code = read_query(request, _QUERY).text("language") or languages.default.code
        if code not in languages.codes:
            raise InvalidArgument.of(
                "language", Text("Choose one of the languages of this list."), "enum"
            )
        newest = await self._templates.newest()
        changed = [one for key, one in newest.items() if key[1] == code and not one.is_ours]
        makers = await self._makers.name(one.by for one in changed)
        held = {one.name: one for one in changed}
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/templates/list.html",
            path=PATH,
            languages=[(one, name_of(one), one == code) for one in languages.codes],
            groups=list(_groups(code, held, makers)),
            is_all_ours=not changed,
        )


def _groups(
    code: str, held: Mapping[str, TemplateVersion], makers: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[Row]]]:
    """Go through the templates by what they belong to."""
    for group, mails in groupby(MAILS.values(), key=lambda mail: mail.group):
        rows = []
        for mail in mails:
            version = held.get(mail.name)
            rows.append(
                Row(
                    path=f"{PATH}/{mail.name}/{code}",
                    title=translate(mail.title),
                    version=version.version if version is not None else 0,
                    by=makers[version.by] if version is not None else "",
                    at=format_time(version.at) if version is not None else "",
                    iso=format_iso(version.at) if version is not None else "",
                )
            )
        yield translate(group), rows
