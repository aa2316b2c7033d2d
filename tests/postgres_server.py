"""Real PostgreSQL servers for tests: one for the session, and as many of one's own as a test wants.

A server is started on a scratch folder, on a free port of loopback and a Unix socket in the folder.
PostgreSQL refuses to run as root; it then runs as `postgres`, or as `nobody` where there is none.
With `CI` set, a machine without PostgreSQL fails; elsewhere the test is skipped.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trustme import LeafCert

from tests.needs import lacking
from tests.ports import free_port

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For a server whose power is never cut."""


def find_program(name: str) -> str:
    """Return where a program of PostgreSQL is; Debian's are in a folder of their version."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    found = shutil.which(name, path=str(folders[-1]) if folders else None) or shutil.which(name)
    if found is None:
        lacking("no PostgreSQL: install your system's package `postgresql`")
    return os.path.realpath(found)


def as_its_user() -> dict[str, Any]:
    """Return arguments of `subprocess` by which a process is the server's user's, not root's."""
    if os.geteuid() != 0:
        return {}
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _end_with_us() -> None:
    """Ask Linux to end this process when the one of the tests ends, however that does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGQUIT))


class PostgresServer:
    """Run one server, with a superuser `pwless`, who needs no password, and a database `pwless`.

    Args:
        options: further settings of its configuration, e.g. `{"max_connections": "5"}`.
        hba: lines of `pg_hba.conf` in the place of "trust everybody".
        certificate: with which it speaks TLS; `None` for a server that does not.
    """

    def __init__(
        self,
        options: dict[str, str] | None = None,
        *,
        hba: str | None = None,
        certificate: LeafCert | None = None,
    ) -> None:
        self._postgres, initdb = find_program("postgres"), find_program("initdb")
        self._options = options or {}
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="pwless-pg-")
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # also where a fixture fails half-way
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = f"{self.folder}/data"
        arguments = ["-D", self.data, "-U", "pwless", "-A", "trust", "-E", "UTF8", "--locale=C"]
        done = subprocess.run(
            [initdb, *arguments, "--no-sync", "--no-instructions"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            **as_its_user(),
        )
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        if hba is not None:
            Path(self.data, "pg_hba.conf").write_text(hba)
        if certificate is not None:
            self._use_certificate(certificate)
        self.start()
        self.run("CREATE DATABASE pwless", database="postgres")

    @property
    def url(self) -> str:
        """Its database, over TCP."""
        return f"postgresql://pwless@127.0.0.1:{self.port}/pwless"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    def _use_certificate(self, certificate: LeafCert) -> None:
        path = Path(self.data, "server.pem")
        certificate.private_key_and_cert_chain_pem.write_to_path(path)
        path.chmod(0o600)
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(path, user.pw_uid, user.pw_gid)
        files = {"ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.pem"}
        self._options = {**self._options, **files}

    def start(self, **options: str) -> None:
        """Start it on what it keeps, and wait until it takes connections.

        Args:
            options: settings for this run alone.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",
            "max_connections": "60",
            "autovacuum": "off",
            "max_wal_senders": "0",
            "wal_level": "minimal",
            **self._options,
            **options,
        }
        arguments = [f"-c{name}={value}" for name, value in settings.items()]
        with (Path(self.folder) / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._postgres, "-D", self.data, "-p", str(self.port), *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_end_with_us,
                **as_its_user(),
            )
        deadline = time.monotonic() + 40
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((Path(self.folder) / "log").read_text())
            time.sleep(0.01)

    def _answers(self) -> bool:
        """Whether it is ready: its `postmaster.pid` says so in the eighth line."""
        with contextlib.suppress(OSError):
            lines = Path(self.data, "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def run(self, *statements: str, database: str = "pwless") -> str:
        """Run SQL by `psql`, as the superuser, and return what it prints: a line a row."""
        psql = find_program("psql")
        where = ["-h", self.folder, "-p", str(self.port), "-U", "pwless", "-d", database]
        commands = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(
            [psql, *where, "-XqAt", "-v", "ON_ERROR_STOP=1", *commands],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def freeze(self) -> None:
        """Stop it where it stands: connections stay open and nothing answers."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def freeze_connections(self) -> None:
        """Stop those that stand; new ones are answered."""
        for pid in self._pids()[1:]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        done = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True
        )
        return [self.pid, *map(int, done.stdout.split())]

    def terminate_connections(self) -> None:
        """End every connection but one's own, as an administrator does."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it: at once, as by a crash, or by SIGINT, cleanly; `start` brings it back."""
        if self._process is not None:
            self.thaw()
            self._process.send_signal(how)
            self._process.wait(40)
            self._process = None

    def close(self) -> None:
        """End it and remove what it left."""
        self.stop()
        atexit.unregister(self.close)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the whole session, which all tests share: it is neither stopped nor frozen."""
    server = PostgresServer(FAST)
    yield server
    server.close()
