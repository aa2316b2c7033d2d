"""Those who send the text messages of all features."""

from __future__ import annotations

from collections.abc import Iterator

from pwless_middleware.delivery.base import PARALLEL
from pwless_middleware.delivery.health.handovers import server_of
from pwless_middleware.delivery.texts.base import TextSender


class TextSenders:
    """Know the senders of all features, for what concerns them all: places, checks, the end."""

    def __init__(self) -> None:
        self._senders: list[TextSender] = []

    def add(self, sender: TextSender) -> None:
        """Take one that a feature sends through."""
        if not any(sender is known for known in self._senders):
            self._senders.append(sender)

    def flatten(self) -> Iterator[TextSender]:
        """Go through them, each once, with the two of a `FallbackTexts` instead of itself."""
        waiting = list(self._senders)
        while waiting:
            sender = waiting.pop(0)
            inner: tuple[TextSender, ...] = getattr(sender, "senders", ())
            if inner:
                waiting[:0] = inner
            else:
                yield sender

    @property
    def parallel(self) -> int:
        """How many messages can be sent at a time, all together; 0 where nobody sends any."""
        return sum(int(getattr(sender, "parallel", PARALLEL)) for sender in self._senders)

    @property
    def server(self) -> str:
        """What events call whoever takes a message; nothing where there are several."""
        return server_of(self._senders[0]) if len(self._senders) == 1 else ""

    async def aclose(self) -> None:
        """Have them give back their connections, the others also when one fails to.

        Raises:
            ExceptionGroup: of those that failed.
        """
        failures: list[Exception] = []
        for sender in self._senders:
            aclose = getattr(sender, "aclose", None)
            try:
                if aclose is not None:
                    await aclose()
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup("text senders could not be closed", failures)
