"""Visitors at another address of this machine are shown the way to `base_url`.

Over http an app on this machine has several: `localhost`, `127.0.0.1`, `[::1]`, another port. A
login works at one of them alone, since browsers keep cookies by host and `Origin` has to be ours.
`Host` decides nothing but this: where it leads is `base_url`, whatever stands in it.
"""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers

from pwless_middleware.web.routing.origin import Origin, is_local

logger = logging.getLogger("pwless.origin")

MAX_LED = 3
"""Visitors sent to `base_url` in a row without one who came there. A proxy that rewrites `Host`
would send them round in a circle; after these the page is shown where it is."""
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,100}")
_THIS_MACHINE = ("127.", "0.0.0.0")  # noqa: S104 - what servers print; nothing is bound here
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class OtherHosts:
    """Notice who has come by another address than `base_url`.

    Args:
        origin: the app's own. Over https nothing is done: a proxy may hand on any `Host`.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._led = 0
        self._has_warned = False

    def should_lead(self, headers: Headers) -> bool:
        """Whether a page is better sent to `base_url`, where the login works."""
        if self._origin.is_secure:
            return False
        host = self._other_host(headers)
        if host is None:
            self._led = 0
            return False
        # A stranger's address (a phone on the network) does not get to this machine's localhost.
        is_here = is_local(host) or host.startswith(_THIS_MACHINE)
        is_reachable = is_here or not is_local(self._origin.host)
        if not is_reachable or self._led >= MAX_LED:
            return False
        self._led += 1
        self.warn(headers)
        return True

    def warn(self, headers: Headers) -> None:
        """Write both addresses to the log, once."""
        host = None if self._origin.is_secure else self._other_host(headers)
        if host is not None and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "a login page was opened at http://%s, but base_url is %s, where alone a login "
                "works: open that, or set base_url to what people open",
                host,
                self._origin.url,
                extra={"event": "other_host"},
            )

    def _other_host(self, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or any(name in headers for name in _FORWARDING):
            return None
        host = hosts[0].lower().removesuffix(":80")
        return host if host != self._origin.host and _HOST.fullmatch(host) else None
