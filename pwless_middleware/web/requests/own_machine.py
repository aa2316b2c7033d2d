"""Whether a request comes from this machine itself, and not through a proxy on it."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import Scope

from pwless_middleware.core.logins.client import parse_ip, unwrap_ipv4
from pwless_middleware.web.requests.clients import is_forwarded

_NAME: Final = re.compile(rb"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?")


def is_own_machine(scope: Scope) -> bool:
    """Whether a request is from a program of this machine.

    Three kinds of strangers reach an app from there too, and are told by what they bring: those
    behind a proxy (its headers; without any, the older HTTP that nginx speaks by default), and a
    web page in a browser of this machine, which by a name of its own that leads here (DNS
    rebinding) could read the answer: the `Host` is its name.
    """
    peer = (scope.get("client") or ("",))[0]
    ip = parse_ip(peer) if peer else None
    if ip is None or not unwrap_ipv4(ip).is_loopback or is_forwarded(scope):
        return False
    hosts = [value for key, value in scope["headers"] if key == b"host"]
    is_named_so = len(hosts) == 1 and _NAME.fullmatch(hosts[0].lower()) is not None
    is_proxied = scope.get("http_version") == "1.0" or any(k == b"via" for k, _ in scope["headers"])
    return is_named_so and not is_proxied
