"""What a method shows in its part of a page that several share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a method shows in its part of a shared page.

    Attributes:
        context: the values of its template. An `error` or `problem` among them, if it is not
            `None`, is told in the page's title too.
        next: where the login leads, if the method has kept that itself; empty takes the page's.
        organization: which one is to be entered, if the method has kept that itself; empty takes
            the page's.
        status: HTTP status of the page.
        retry_after: seconds for `Retry-After`; `None` sends none.
        is_begun: whether the person is in the middle of it: a code is on its way. On a page that
            shows one way and lists the others it is the one that is shown.
    """

    context: Mapping[str, object] = field(default_factory=dict)
    next: str = ""
    organization: str = ""
    status: int = 200
    retry_after: int | None = None
    is_begun: bool = False


Form = Mapping[str, str]

_ORGANIZATION_LENGTH = 100


def organization_in(fields: Mapping[str, str]) -> str:
    """Return the organization that a query or a form names, or an empty text.

    It is what was given: whether there is such a one, and who may enter it, the rules say.
    """
    given = fields.get("organization", "")
    return given if len(given) <= _ORGANIZATION_LENGTH and given.isprintable() else ""


class ShownPart:
    """A method's part of a page, as the page's template shows it: `{{ part }}` is its HTML.

    Attributes:
        is_scripted: whether it is hidden until a script shows it.
        title: in the list of ways, in the language of the request.
    """

    def __init__(self, html: str, *, is_scripted: bool, title: str = "") -> None:
        self._html = html
        self.is_scripted = is_scripted
        self.title = title

    def __html__(self) -> str:
        return self._html

    __str__ = __html__
