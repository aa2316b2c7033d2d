"""A folder with somebody's app in it, and commands that are run there."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pwless_middleware.cli.main import main

KEY = "mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6pTk1"

PLAIN = """
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

async def home(request):
    return JSONResponse({
        "user": request.state.user.email,
        "scheme": request.url.scheme,
        "header": request.headers.get("remote-user"),
        "scope_user": "user" in request.scope,
    })

app = Starlette(routes=[Route("/", home), Route("/open", home)])
"""
"""An app that knows nothing of logins, and tells what it was told."""


@dataclass
class Project:
    """The folder, which is also the current one."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> None:
        """Write a module."""
        (self.folder / f"{name}.py").write_text(text)

    def wrapped(self, options: str, name: str = "site_app") -> None:
        """Write an app that is wrapped with these options beside the key."""
        self.write(
            name,
            PLAIN
            + "from pwless_middleware import *\n"
            + f"app = PasswordlessMiddleware(app, secret_key={KEY!r}, {options})\n",
        )

    def run(self, *args: str) -> tuple[int, str, str]:
        """Run a command; gives exit code, output, errors."""
        self.capsys.readouterr()
        try:
            code = main(args)
        except SystemExit as exit:  # argparse
            code = cast(int, exit.code)
        out, err = self.capsys.readouterr()
        return code, out, err

    def check(self, *args: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """Run `check --json`; gives exit code, and level and message of each finding."""
        code, out, err = self.run("check", *args, "--json")
        assert not err
        report: dict[str, Any] = json.loads(out)
        assert report["ok"] is (code == 0)
        rows = report["findings"]
        return code, {
            f"{r['prefix']} {r['check']}".strip(): (r["level"], r["message"]) for r in rows
        }


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Project]:
    """An empty folder; what is imported from it is forgotten afterwards, with every variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    environ = dict(os.environ)
    before = set(sys.modules)
    yield Project(tmp_path, capsys)
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environ)


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"us", b"secret-pw"), handled=False)


@pytest.fixture
async def smtp_port() -> AsyncIterator[int]:
    """An aiosmtpd on the test's loop that knows one user, `us` with `secret-pw`."""
    made: list[SMTP] = []

    def make() -> SMTP:
        smtp = SMTP(
            Sink(), hostname="localhost", authenticator=_authenticate, auth_require_tls=False
        )
        made.append(smtp)
        return smtp

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for smtp in made:
        if smtp.transport is not None:
            cast(asyncio.WriteTransport, smtp.transport).abort()
    await server.wait_closed()
    await asyncio.sleep(0)
