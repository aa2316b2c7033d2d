"""Where an app is served: at `/`, or under a prefix, in each form that servers tell the prefix."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass

from tests.apps.person import Person
from tests.apps.proxy import Proxy
from tests.apps.servers import Kind, Server
from tests.needs import lacking

PREFIX = "/tools"


@dataclass(frozen=True, slots=True)
class Place:
    """Say how an app is served.

    Attributes:
        kind: the server.
        prefix: the path under which people see it; "" for none.
        is_stripped: whether the proxy takes the prefix off the path. uvicorn puts it back in front,
            hypercorn and granian leave the path as it came.
    """

    kind: Kind
    prefix: str = ""
    is_stripped: bool = True

    def __str__(self) -> str:
        return f"{self.kind}{self.prefix.replace('/', '-')}{'' if self.is_stripped else '-kept'}"

    @property
    def prefix_in_path(self) -> str:
        """What of the prefix stands in `scope["path"]`."""
        return "" if self.kind == "hypercorn" and self.is_stripped else self.prefix


ROOT = Place("uvicorn")
ROOT_PATH_PUT_BACK = Place("uvicorn", PREFIX)
ROOT_PATH_BESIDE_PATH = Place("hypercorn", PREFIX)
ROOT_PATH_LEFT_IN_PATH = Place("granian", PREFIX, is_stripped=False)
HYPERCORN_IN_PATH = Place("hypercorn", PREFIX, is_stripped=False)
PLACES = (ROOT, ROOT_PATH_PUT_BACK, ROOT_PATH_BESIDE_PATH)
"""Each form in which a framework may find its path. `ROOT_PATH_LEFT_IN_PATH` is to it the same as
`ROOT_PATH_PUT_BACK`: FastAPI is asked there too, for all that run on granian."""
EVERY_PLACE = (*PLACES, ROOT_PATH_LEFT_IN_PATH)
IN_PATH = (ROOT, HYPERCORN_IN_PATH)
"""For frameworks that find nothing where the path lacks the root path, with and without us."""
SERVERS = (ROOT, Place("uvicorn-h11"), Place("hypercorn"), Place("granian"))
"""At `/` on every server, for what depends on the server and on no framework."""


@dataclass(frozen=True, slots=True)
class Site:
    """An app that is being served.

    Attributes:
        place: how.
        base_url: what people type.
        server: the process.
    """

    place: Place
    base_url: str
    server: Server

    def newcomer(self) -> Person:
        """Return a browser that nobody has signed in with."""
        return Person(self.base_url, lambda: self.server.mailbox)


@contextlib.contextmanager
def served(target: str, place: Place, env: dict[str, str] | None = None) -> Iterator[Site]:
    """Serve `module:name` at a place until the block ends."""
    with contextlib.ExitStack() as stack:
        base_url = None
        proxy = None
        if place.prefix:
            proxy = Proxy(place.prefix, strips=place.is_stripped)
            stack.callback(proxy.close)
            base_url = proxy.base_url
        server = Server(
            place.kind,
            target,
            base_url=base_url,
            root_path=place.prefix,
            env={"PWLESS_TEST_PREFIX_IN_PATH": place.prefix_in_path, **(env or {})},
        )
        stack.callback(server.close)
        if proxy is not None:
            proxy.backend = server.port
        server.wait()
        yield Site(place, server.base_url, server)


def needs(*modules: str) -> None:
    """Skip a test file whose packages are missing; where `CI` is set, fail instead."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    lacking(f"{', '.join(missing)} missing: pip install -e '.[dev,apps]'", whole_module=True)
