"""Whose address counts: the peer's, or what trusted proxies say of it (SECURITY rule 7)."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from starlette.types import Scope

from pwless_middleware.core.clients import Client, IpAddress, parse_ip
from pwless_middleware.core.options import check_texts
from pwless_middleware.errors import ConfigError

logger = logging.getLogger("pwless.clients")

_FORWARDING = (b"x-forwarded-for", b"forwarded", b"x-real-ip")


class Clients:
    """Find the client of a request.

    Args:
        trusted_proxies: 0 (the default): the peer is the client, whatever headers say. A number:
            that many proxies stand in front, each adding to `X-Forwarded-For`. CIDRs: proxies at
            these addresses are believed, from the right, until the first other address.

    Raises:
        ConfigError: a negative number, or not a CIDR.
    """

    def __init__(self, trusted_proxies: int | Sequence[str]) -> None:
        self._hops = 0
        self._trusted: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._has_warned = False
        if isinstance(trusted_proxies, int):
            if isinstance(trusted_proxies, bool) or not 0 <= trusted_proxies <= 20:
                raise ConfigError("trusted_proxies", "set how many proxies stand in front, 0 to 20")
            self._hops = trusted_proxies
            return
        example = "['10.0.0.0/8'], or how many proxies stand in front"
        check_texts("trusted_proxies", trusted_proxies, example=example)
        for text in trusted_proxies:
            try:
                network = ipaddress.ip_network(text)
            except ValueError as exc:
                raise ConfigError("trusted_proxies", f"{text!r} is not a network: {exc}") from exc
            if network.prefixlen == 0:
                raise ConfigError("trusted_proxies", f"{text!r} is everybody; name your proxies")
            self._trusted.append(network)

    @property
    def believes_proxies(self) -> bool:
        """Say whether any proxy is believed."""
        return bool(self._hops or self._trusted)

    def of(self, scope: Scope) -> Client:
        """Name the client of a request for the limits."""
        peer = (scope.get("client") or ("",))[0]
        ip = parse_ip(peer) if peer else None
        if self.believes_proxies:
            ip = self._behind_proxies(scope, ip)
        elif not self._has_warned:
            self._warn(scope, ip, peer)
        # A peer that is no IP address (a unix socket, a test client) is one client, by its name.
        return Client.at(ip) if ip is not None else Client(peer or "unknown")

    def _behind_proxies(self, scope: Scope, peer: IpAddress | None) -> IpAddress | None:
        lines = [value for key, value in scope["headers"] if key == b"x-forwarded-for"]
        entries = b",".join(lines).decode("latin-1").split(",") if lines else []
        if self._hops:
            if not entries:
                return peer
            return parse_ip(entries[-min(self._hops, len(entries))]) or peer
        ip = peer
        while entries and (ip is None or self._is_trusted(ip)):
            behind = parse_ip(entries.pop())
            if behind is None:
                break
            ip = behind
        return ip

    def _is_trusted(self, ip: IpAddress) -> bool:
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._trusted)

    def _warn(self, scope: Scope, ip: IpAddress | None, peer: str) -> None:
        is_forwarded = any(key in _FORWARDING for key, _ in scope["headers"])
        if (ip is not None and ip.is_private and is_forwarded) or not peer:
            self._has_warned = True
            logger.warning(
                "requests come through a proxy, but trusted_proxies is not set: all of them count "
                "as one client for the limits; set trusted_proxies=1 (one proxy in front), or its "
                "networks",
                extra={"event": "untrusted_proxy"},
            )
