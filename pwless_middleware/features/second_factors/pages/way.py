"""One of the ways to choose from, as a page lists it."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """A way to do a step, or to make what it asks for.

    Attributes:
        name: of the method, by which its icon is found.
        title: in the language of the request.
        url: of its page.
        hint: what it is; empty for nothing.
    """

    name: str
    title: str
    url: str
    hint: str = ""
