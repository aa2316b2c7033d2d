"""The client's address: the peer's, or the one that trusted proxies report (security rule 7)."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from starlette.types import Scope

from pwless_middleware.core.logins.client import Client, IpAddress, is_local_peer, parse_ip
from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError

logger = logging.getLogger("pwless.clients")

_FORWARDING = (
    b"forwarded",  # RFC 7239
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-original-forwarded-for",
    b"x-envoy-external-address",
    b"cf-connecting-ip",
    b"true-client-ip",
    b"fastly-client-ip",
    b"fly-client-ip",
)
_MAX_HOPS = 20
"""Proxies in a row that are believed."""
_MAX_PROXIES = 1000
"""Peers remembered as proxies; with more, every peer of a private network is taken for one."""


class Clients:
    """Find the client of a request.

    A peer that cannot be a person's own address on the internet (a private network, carrier NAT
    (RFC 6598), a unix socket), forwards, and is not configured as a proxy, has everybody behind it:
    it is one client with ten times the numbers, from then on. Never without limits: whoever is in
    the same network can write such a header too.

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
        self._proxies: set[str] = set()
        if isinstance(trusted_proxies, int):
            if isinstance(trusted_proxies, bool) or not 0 <= trusted_proxies <= _MAX_HOPS:
                raise ConfigError(
                    "trusted_proxies", f"set how many proxies stand in front, 0 to {_MAX_HOPS}"
                )
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
        """Whether any proxy is believed."""
        return bool(self._hops or self._trusted)

    def of(self, scope: Scope) -> Client:
        """Name the client of a request for the limits."""
        peer = (scope.get("client") or ("",))[0]
        ip = parse_ip(peer) if peer else None
        if self.believes_proxies:
            ip = self._behind_proxies(scope, ip)
        # A peer that is no IP address (a unix socket, a test client) is one client, by its name.
        client = Client.at(ip) if ip is not None else Client(peer or "unknown")
        if not self.believes_proxies and self._is_proxy(scope, ip, client.network):
            return Client(client.network, is_shared=True)
        return client

    def _behind_proxies(self, scope: Scope, peer: IpAddress | None) -> IpAddress | None:
        lines = [value for key, value in scope["headers"] if key == b"x-forwarded-for"]
        # What stands further left is one entry, and no address: nobody has as many proxies.
        entries = b",".join(lines).decode("latin-1").rsplit(",", _MAX_HOPS) if lines else []
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

    def _is_proxy(self, scope: Scope, peer: IpAddress | None, name: str) -> bool:
        """Whether a peer has forwarded, now or before."""
        if peer is not None and not is_local_peer(peer):
            return False
        if name in self._proxies or len(self._proxies) >= _MAX_PROXIES:
            return True
        has_address = bool(scope.get("client"))
        if has_address and not is_forwarded(scope):
            return False
        if not self._proxies:
            logger.warning(
                "requests come through a proxy, but trusted_proxies is not set: %s counts as one "
                "client for the limits, whoever is behind it; set trusted_proxies=1 (one proxy in "
                "front), or its networks",
                "the proxy" if has_address else "a unix socket",
                extra={"event": "untrusted_proxy"},
            )
        self._proxies.add(name)
        return True


def is_forwarded(scope: Scope) -> bool:
    """Whether a request has a header that proxies write."""
    return any(k.startswith(b"x-forwarded-") or k in _FORWARDING for k, _ in scope["headers"])
