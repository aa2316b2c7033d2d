"""Who has made something, in words: the `by` of events, histories and keys, as people read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

_NAMES: Final[Mapping[str, Text]] = {
    "command_line": Text("the command line"),
    "python": Text("your code"),
    "person": Text("the person"),
}


class Makers:
    """Find out who it was.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def name(self, makers: Iterable[str]) -> dict[str, str]:
        """Return a name for each of them: an operator's address, or words in the reader's language.

        Args:
            makers: as they were recorded, e.g. `operator:u-1` or `command_line`.

        Raises:
            StoreError, Unavailable: the user table cannot be asked.
        """
        wanted = set(makers)
        emails = await self.find_emails(_operator_of(by) for by in wanted)
        return {by: _name(by, emails) for by in wanted}

    async def find_emails(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the address that each user has now; empty for who is gone.

        Raises:
            StoreError, Unavailable: the user table cannot be asked.
        """
        wanted = sorted({id for id in ids if id})
        kept = self._kit.repositories
        if kept is not None and self._kit.users.keeps_people:
            people = await kept.people.find_several(wanted) if wanted else {}
            return {id: people[id].email if id in people else "" for id in wanted}
        users = await asyncio.gather(*(self._kit.users.load(id) for id in wanted))
        emails = ("" if user is None else user.email or "" for user in users)
        return dict(zip(wanted, emails, strict=True))


def _operator_of(by: str) -> str:
    kind, _, id = by.partition(":")
    return id if kind == "operator" and not id.startswith("erased-") else ""


def _name(by: str, emails: Mapping[str, str]) -> str:
    id = _operator_of(by)
    if id:
        return emails[id] or id
    if by in _NAMES:
        return translate(_NAMES[by])
    if by.startswith("setup_link:"):
        return translate(Text("who has opened the set-up link"))
    return translate(Text("somebody who is gone")) if by.startswith("operator:") else by
