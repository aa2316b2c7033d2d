"""The budget of asking for options: kept in this process, so that it costs no store anything.

A login page asks for options on every view, for the browser's autofill, so asking is as frequent as
looking at a page, and as anonymous (security rule 35). What is counted here protects this process's
CPU and nothing else: a challenge that is never answered has cost nobody a thing. So each process
counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Final

from pwless_middleware.core.challenges.budget import Draw, Limit, enter, wait_for
from pwless_middleware.core.logins.client import Client
from pwless_middleware.errors import RateLimited, Unavailable
from pwless_middleware.flows.challenges.limits import WIDE
from pwless_middleware.text import Text

PER_MINUTE: Final = 120
"""How often one client may ask in a minute: two page views a second, for a minute."""
MOST_LEDGERS: Final = 20_000
"""Clients that are counted at a time; about 5 MB, with a full ledger for each."""
_MINUTE: Final = 60
_QUANTUM: Final = 5
"""Seconds to which times are rounded: a ledger has 13 entries at most."""


class OptionsBudget:
    """Count who asks for options.

    Args:
        most: clients that are counted at a time; default 20,000. Nobody's count is forgotten to
            make room for another's (security rule 15).
    """

    def __init__(self, *, most: int = MOST_LEDGERS) -> None:
        self._most = most
        self._ledgers: dict[str, tuple[bytes, int]] = {}  # the ledger, and when it is of no use
        self._swept_at = 0
        self._lock = Lock()  # event loops of several threads share it

    def draw(self, client: Client | None, *, now: int) -> None:
        """Count one request for options.

        Args:
            client: who asks; `None`, a server, is not counted: its address is its backend's.
            now: unix seconds.

        Raises:
            RateLimited: the client has asked too often.
            Unavailable: too many clients are counted already.
        """
        if client is None:
            return
        draws = tuple(_draws(client))
        with self._lock:
            ledgers = [self._ledgers.get(draw.key, (b"", 0))[0] for draw in draws]
            wait = max(wait_for(*pair, now) for pair in zip(ledgers, draws, strict=True))
            if wait:
                raise RateLimited(wait, Text("This page was asked for too often. Wait a moment."))
            new = sum(draw.key not in self._ledgers for draw in draws)
            if len(self._ledgers) + new > self._most and not self._sweep(now, room=new):
                raise Unavailable("too many clients ask for passkeys at a time")
            for ledger, draw in zip(ledgers, draws, strict=True):
                self._ledgers[draw.key] = enter(ledger, draw, now), now + draw.window

    def _sweep(self, now: int, *, room: int) -> bool:
        """Throw away what is of no use any more, at most once a second; whether there is room."""
        if self._swept_at != now:
            self._swept_at = now
            live = {key: value for key, value in self._ledgers.items() if value[1] > now}
            self._ledgers = live
        return len(self._ledgers) + room <= self._most


def _draws(client: Client) -> Iterator[Draw]:
    own = Limit(PER_MINUTE * (WIDE if client.is_shared else 1), _MINUTE)
    yield Draw(client.network, (own,), quantum=_QUANTUM)
    if client.wide is not None:
        wide = Limit(PER_MINUTE * WIDE, _MINUTE)
        yield Draw(client.wide, (wide,), quantum=_QUANTUM)
