"""Which server a message was handed to, and what became of it, for events and health.

A mailer says nothing as it returns, and what has two servers behind it (`FallbackMailer`) returns
once either has taken the message. So whoever hands a message over notes it here, and the queue
collects what was noted in one try:

    with collect_handovers() as handovers:
        with handing_to("smtp.acme.example:587"):
            await mailer.send(message)
    handovers[-1].server
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass

MOST_CHARACTERS: Final = 100
"""Of a server's name: a host's own may be anything, and events are not for long texts."""

_collected: ContextVar[list[Handover] | None] = ContextVar("pwless_handovers", default=None)


@dataclass(frozen=True, slots=True)
class Handover:
    """A message handed to a server.

    Attributes:
        server: its name.
        error: why it was not taken; `None` where it was. `CancelledError` where it was cut off, and
            nobody knows. Not shown: it may quote the message.
    """

    server: str
    error: BaseException | None = field(default=None, repr=False)

    @property
    def is_cut_off(self) -> bool:
        """Whether nobody knows what became of it."""
        return isinstance(self.error, CancelledError)


def server_of(sender: object) -> str:
    """Return what events and the dashboard call a mailer, or a sender of text messages.

    Its attribute `server`, or the name of its class.
    """
    name = getattr(sender, "server", None)
    return name[:MOST_CHARACTERS] if isinstance(name, str) and name else type(sender).__name__


@contextmanager
def collect_handovers() -> Iterator[list[Handover]]:
    """Collect the handovers that are noted inside, also in tasks that are started there."""
    found: list[Handover] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def current_handovers() -> Sequence[Handover]:
    """Return what was noted so far where handovers are collected."""
    return tuple(_collected.get() or ())


@contextmanager
def handing_to(server: str) -> Iterator[None]:
    """Note a handover to this server, unless one to a server behind it is noted inside."""
    found = _collected.get()
    before = 0 if found is None else len(found)
    try:
        yield
    except BaseException as error:
        if found is not None and len(found) == before:
            found.append(Handover(server, error))
        raise
    if found is not None and len(found) == before:
        found.append(Handover(server))
