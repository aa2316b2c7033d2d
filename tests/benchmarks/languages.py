"""Languages: what a page in another one costs over English, and what reading a catalogue costs.

All in one process, interleaved. The page is the login page as the app answers it, with the menu of
all languages below the form; the goal is at most 40 µs over English. A catalogue is read with the
first page in its language, by the request that asks for it.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from secrets import token_urlsafe

from starlette.types import Receive, Scope, Send

from pwless_middleware import MemoryStore, Outbox, PasswordlessMiddleware
from pwless_middleware.languages.languages import COMPLETE, Languages
from tests.benchmarks.asgi import ORIGIN, ask, scope
from tests.benchmarks.figures import Options, Samples, Table

_PAGE = "/auth/login"
_PAGES_IN_A_TURN = 200
_MICRO, _MILLI = 1e6, 1e3


async def measure(options: Options) -> list[Table]:
    """Return what pages and catalogues cost."""
    return [await _measure_pages(options), _measure_catalogues(options)]


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Be an app that nobody reaches."""


async def _measure_pages(options: Options) -> Table:
    app = PasswordlessMiddleware(
        _nothing,
        secret_key=token_urlsafe(48),
        base_url=ORIGIN.decode(),
        mailer=Outbox(),
        store=MemoryStore(),
        languages=COMPLETE,
    )
    taken = {code: Samples() for code in COMPLETE}
    for round in range(options.rounds + 1):  # the first one warms up
        for code, samples in taken.items():
            cookie = f"pwless-language={code}".encode()
            gc.collect()
            begun = time.process_time()
            for _ in range(_PAGES_IN_A_TURN):
                answer = await ask(app, scope(_PAGE, cookie=cookie))
            spent = (time.process_time() - begun) / _PAGES_IN_A_TURN
            assert answer.status == 200
            assert f'lang="{code}"'.encode() in answer.body
            if round:
                samples.add(spent * _MICRO)
    table = Table(
        f"A login page with {len(COMPLETE)} languages to choose from, CPU µs",
        ["language", "page", "over English"],
        "The same page in turns; the difference is taken round by round.",
    )
    for code, samples in taken.items():
        table.add(code, samples.told(), samples.over(taken["en"]).told())
    return table


def _measure_catalogues(options: Options) -> Table:
    table = Table(
        "Reading a catalogue, with the first page in its language",
        ["language", "ms", "KiB kept"],
        "Memory is what Python holds for it.",
    )
    whole = 0.0
    for code in COMPLETE:
        samples = Samples()
        for _ in range(options.rounds):
            catalogue = Languages([code]).default
            begun = time.perf_counter()
            catalogue.gettext("Sign in")
            samples.add((time.perf_counter() - begun) * _MILLI)
        tracemalloc.start()
        catalogue = Languages([code]).default
        before, _ = tracemalloc.get_traced_memory()
        catalogue.gettext("Sign in")
        kept = (tracemalloc.get_traced_memory()[0] - before) / 1024
        tracemalloc.stop()
        whole += kept
        table.add(code, samples.told(2), f"{kept:,.0f}")
    table.add("all", "", f"{whole:,.0f}")
    return table
