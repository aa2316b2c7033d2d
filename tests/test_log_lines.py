"""Every log line says its reason in its message: most log formats show nothing of `extra`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pwless_middleware
from pwless_middleware.delivery.base import Message
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.errors import DeliveryError, StoreError
from pwless_middleware.stores.memory import MemoryStore
from tests.support import Slow, make_site

pytestmark = pytest.mark.anyio
PACKAGE = Path(pwless_middleware.__file__).parent
_LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Find every call of a logger in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("logger", "_log", "log")
            ):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_what_extra_calls_the_reason_is_in_the_message_too() -> None:
    found = 0
    for place, call in log_calls():
        for keyword in call.keywords:
            if keyword.arg != "extra" or not isinstance(keyword.value, ast.Dict):
                continue
            pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
            for key, value in pairs:
                if isinstance(key, ast.Constant) and key.value == "reason":
                    found += 1
                    told = {ast.unparse(argument) for argument in call.args}
                    text = ast.unparse(value)
                    # `extra` may hold `str(error)` where the message formats `error`.
                    assert {text, text.removeprefix("str(").removesuffix(")")} & told, place
    assert found >= 5


async def test_typical_faults_say_their_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    class Refusing:
        async def send(self, message: Message) -> None:
            raise DeliveryError("the server refuses the sender")

    store = MemoryStore()
    store.jobs.add(b"one", now=0)
    now = [0]

    async def fails(payload: bytes) -> Outcome:
        raise DeliveryError("greylisted")

    deliveries = Deliveries(store.jobs, fails, clock=lambda: now[0])
    await deliveries.run_due()
    now[0] = 100

    async def late(payload: bytes) -> Outcome:
        return Outcome.EXPIRED

    await Deliveries(store.jobs, late, clock=lambda: now[0]).run_due()
    fallback = FallbackMailer(Refusing(), Refusing())
    with pytest.raises(DeliveryError):
        await fallback.send(Message("a@b.example", "s", "t", "h"))
    down = Slow(MemoryStore())

    async def away() -> None:
        raise StoreError("no route to the store")

    down.before["open"] = away
    site = make_site(store=down)
    await site.passwordless.lifetime.open()
    await site.passwordless.lifetime.close()
    for reason in (
        "delivery delayed, next try in 1 s: greylisted",
        "not delivered after 2 tries: expired before it could be delivered",
        "second mailer in use, since the first failed: the server refuses the sender",
        "the store is not there yet: no route to the store",
    ):
        assert reason in caplog.messages
