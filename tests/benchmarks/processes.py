"""A process: what importing and making costs, how soon it answers, how much memory it takes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import replace

from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.over_http import put_load
from tests.benchmarks.serve import ROOT, Served, environment
from tests.benchmarks.smtp_sink import SinkProcess
from tests.benchmarks.targets import BARE

_STARLETTE = """
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
"""
_HOUSE = """
app = PasswordlessMiddleware(Starlette(), secret_key="gT4vX9qLw2ZrB7mKc5NhD8sJf3YpE6uA1x",
    base_url="http://localhost:8000", {options})
"""
_MEMORY = "from pwless_middleware import Outbox, PasswordlessMiddleware" + _HOUSE.format(
    options="mailer=Outbox()"
)
_REDIS = "from pwless_middleware import PasswordlessMiddleware, RedisStore, SMTPMailer" + (
    _HOUSE.format(
        options='mailer=SMTPMailer("smtp://localhost:25", sender="in@acme.example"), '
        'store=RedisStore("redis://localhost")'
    )
)
_SQLITE = _MEMORY.replace("Outbox()", 'Outbox(), database="sqlite:///pwless.db"')
_TARGETS = {
    BARE: _STARLETTE,
    "with SessionMiddleware": _STARLETTE
    + "from starlette.middleware.sessions import SessionMiddleware\n"
    + "app = SessionMiddleware(Starlette(), secret_key='x')",
    "ours, memory": _STARLETTE + _MEMORY,
    "ours, SQLite": _STARLETTE + _SQLITE,
    "ours, Redis and SMTP": _STARLETTE + _REDIS,
}
_TELL = """
import json, resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps([used.ru_utime + used.ru_stime, pages * resource.getpagesize() / 2**20]))
"""


async def measure(options: Options) -> list[Table]:
    """Measure fresh interpreters, and servers."""
    return [
        await asyncio.to_thread(_imports, options),
        await asyncio.to_thread(_servers, options),
    ]


def _imports(options: Options) -> Table:
    names = tuple(_TARGETS)
    cpu = {name: Samples() for name in names}
    memory = {name: Samples() for name in names}
    for number in range(-1, 3 * options.rounds):
        options.say(f"import, round {number + 1} of {3 * options.rounds}")
        for name in names:
            done = subprocess.run(
                [sys.executable, "-c", _TARGETS[name] + _TELL],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
                env=environment(),
            )
            if number >= 0:
                used, resident = json.loads(done.stdout)
                cpu[name].add(used * 1e3)
                memory[name].add(resident)
    table = Table(
        "Import and construction, in a fresh interpreter",
        ("", "CPU, ms", "over bare, ms", "least over bare, ms", "resident over bare, MiB"),
        "`import`, and making the middleware. The least of the rounds is what a busy machine "
        "disturbs least: the smallest figure here over the smallest of bare.",
    )
    for name in names:
        least = min(cpu[name].values) - min(cpu[BARE].values)
        table.add(
            name,
            cpu[name].told(0),
            cpu[name].over(cpu[BARE]).told(0),
            f"{least:,.0f}",
            memory[name].over(memory[BARE]).told(1),
        )
    return table


def _servers(options: Options) -> Table:
    with_smtp = "ours, Redis and SMTP"
    stores = ("ours, memory", "ours, SQLite", "ours, PostgreSQL", "ours, Redis")
    names = (BARE, "SessionMiddleware", *stores, with_smtp, "django-allauth")
    answers = {name: Samples() for name in names}
    idle = {name: Samples() for name in names}
    loaded = {name: Samples() for name in names}
    rounds = max(2, options.rounds // 2)
    for number in range(rounds):
        options.say(f"servers, round {number + 1} of {rounds}")
        with ExitStack() as stack:
            sink = stack.enter_context(closing(SinkProcess()))
            for name in names:
                target, port = ("ours, Redis", sink.port) if name == with_smtp else (name, 0)
                served = Served(target, replace(options.place, smtp_port=port))
                stack.enter_context(closing(served))
                answers[name].add(served.first_answer * 1e3)
                idle[name].add(served.memory())
                put_load(served, served.sign_in(), options.seconds)
                loaded[name].add(served.memory())
    table = Table(
        "Under uvicorn: first answer and memory",
        ("", "first answer, ms", "over bare", "idle over bare, MiB", "in use over bare, MiB"),
        "From starting the process to its first 200. In use: after a login and "
        f"{options.seconds:g} s of requests with its session; mails go to nobody, or by SMTP.",
    )
    for name in names:
        table.add(
            name,
            answers[name].told(0),
            answers[name].over(answers[BARE]).told(0),
            idle[name].over(idle[BARE]).told(1),
            loaded[name].over(loaded[BARE]).told(1),
        )
    return table
