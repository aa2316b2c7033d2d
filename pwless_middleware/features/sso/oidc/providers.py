"""What is held of providers: their configuration for an hour, their keys for ten minutes.

Keys change (rotation), and a token may be signed with one that is newer than what is held: then the
set is asked for once more, but at most every 30 seconds (security rule 51), so that tokens with
invented keys cannot have a provider asked at each of them. What is held ends by itself, so that a
key that a provider has withdrawn is worth nothing ten minutes later. A provider that has failed is
left alone for ten seconds: anybody can begin a login, and each would else have it asked.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.discovery import ProviderMetadata, fetch_metadata
from pwless_middleware.features.sso.oidc.keys import ProviderKeys, read_keys
from pwless_middleware.features.sso.oidc.requests import ask
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.safe_http.client import SafeHTTPClient

T = TypeVar("T")
V = TypeVar("V")

METADATA_SECONDS: Final = 3600
KEYS_SECONDS: Final = 600
AGAIN_SECONDS: Final = 30
"""Between two questions for the keys of one provider."""
FAILED_SECONDS: Final = 10
"""For which nobody is asked whose answer was none, or none that can be used."""
MOST_HELD: Final = 500
"""Providers of which something is held, in one event loop."""


class Providers:
    """Ask providers for their configuration and their keys, and hold what they said.

    Args:
        client: makes the requests.
        clock: gives unix seconds.
    """

    def __init__(self, client: SafeHTTPClient, clock: Callable[[], int]) -> None:
        self._client = client
        self._clock = clock
        self._metadata: PerLoop[_Held[ProviderMetadata]] = PerLoop(_Held)
        self._keys: PerLoop[_Held[ProviderKeys]] = PerLoop(_Held)

    async def metadata(self, settings: OIDCSettings, *, afresh: bool = False) -> ProviderMetadata:
        """Return a provider's configuration.

        Args:
            settings: name the provider.
            afresh: whether to ask again, whatever is held.

        Raises:
            SSOFault: `request_…`, `discovery_…`.
        """
        held, now, issuer = self._metadata.here(), self._clock(), settings.issuer
        if not afresh:
            found = held.find(issuer, since=now - METADATA_SECONDS)
            if found is not None:
                return found
            held.check_failed(issuer, now=now)
        named = settings.named_issuer
        return await held.ask(issuer, now, lambda: fetch_metadata(self._client, issuer, named))

    async def keys(self, metadata: ProviderMetadata, *, afresh: bool = False) -> ProviderKeys:
        """Return a provider's keys.

        Args:
            metadata: the provider's.
            afresh: whether to ask again, for a token that none of those held has signed; nobody is
                asked who was less than 30 seconds ago.

        Raises:
            SSOFault: `request_…`, `jwks_…`.
        """
        held, now, url = self._keys.here(), self._clock(), metadata.jwks_uri
        is_soon = afresh and held.asked_at(url) > now - AGAIN_SECONDS
        if is_soon or not afresh:
            found = held.find(url, since=now - KEYS_SECONDS)
            if found is not None:
                return found
        if not afresh:
            held.check_failed(url, now=now)
        return await held.ask(url, now, lambda: self._fetch_keys(url))

    async def _fetch_keys(self, url: str) -> ProviderKeys:
        answer = await ask(self._client, "GET", url)
        if answer.status != 200:
            raise SSOFault("jwks_status", expected=url, received=answer.status)
        return read_keys(answer.content)


class _Held(Generic[T]):
    """What was said, by whom, and when; and the questions that are under way.

    Those who ask for the same at the same time share one question.
    """

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._asked: OrderedDict[str, int] = OrderedDict()
        self._failed: OrderedDict[str, tuple[SSOFault, int]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[T]] = {}

    def find(self, key: str, *, since: int) -> T | None:
        """Return what was said after a unix second; `None` for nothing."""
        found = self._found.get(key)
        return found[0] if found is not None and found[1] > since else None

    def check_failed(self, key: str, *, now: int) -> None:
        """Raise anew what came of a question of the last seconds.

        Raises:
            SSOFault: it failed.
        """
        fault, at = self._failed.get(key, (None, 0))
        if fault is not None and now - FAILED_SECONDS < at <= now:
            raise SSOFault(fault.code, expected=fault.expected, received=fault.received)

    def asked_at(self, key: str) -> int:
        """Return the unix second of the last question, whatever came of it; 0 for none."""
        return self._asked.get(key, 0)

    async def ask(self, key: str, now: int, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a question that is asked now."""
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._fetch(key, now, fetch))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # Whoever leaves takes the answer from nobody else.
        return await asyncio.shield(task)

    async def _fetch(self, key: str, now: int, fetch: Callable[[], Awaitable[T]]) -> T:
        _put(self._asked, key, now)
        try:
            found = await fetch()
        except SSOFault as fault:
            _put(self._failed, key, (fault, now))
            raise
        self._failed.pop(key, None)
        _put(self._found, key, (found, now))
        return found

    def _forget(self, key: str, task: asyncio.Task[T]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # is told to those who wait; where all have left, to nobody


def _put(held: OrderedDict[str, V], key: str, value: V) -> None:
    """Hold a value; the oldest one goes where there are too many."""
    held[key] = value
    held.move_to_end(key)
    while len(held) > MOST_HELD:
        held.popitem(last=False)
