"""Keep what features have going beside the requests, and what that stands on."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.health_checks import HealthChecks
from pwless_middleware.flows.capabilities.lifespans import Lifespans
from pwless_middleware.flows.capabilities.periodic import Periodics
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.capabilities.topics import ReadJob, Topics
from pwless_middleware.stores.base import Store
from pwless_middleware.web.kit import Mounted

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Background:
    """The jobs, lifespans, periodics, health checks, text senders and records of all features.

    Args:
        store: what it works with.
        keyring: binds jobs.
        own_keys: gives the keys of a feature by its name; kept as `keys_of`.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        own_keys: Callable[[str], Keyring],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self.keys_of = own_keys
        self._clock = clock
        self.topics = Topics(keyring, clock)
        self.lifespans = Lifespans()
        self.text_senders = TextSenders()
        self.periodics = Periodics(clock)
        self.checks = HealthChecks(clock)

    def jobs_of(self, feature: str, wake: Callable[[], Awaitable[None]]) -> FeatureJobs:
        """Return a feature's way to the queue; `wake` has what was queued delivered."""
        return FeatureJobs(self.topics, feature, self._store, self._clock, wake)

    def secrets_of(self, feature: str) -> FeatureSecrets:
        """Return what a feature seals, encrypts and derives its own handles and secrets with."""
        return FeatureSecrets(self.keys_of(feature))

    def records_of(self, feature: str) -> Callable[[str], Records]:
        """Return what gives a feature its records by name."""

        def records(name: str) -> Records:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ConfigError(
                    "features",
                    f"{feature}: records({name!r}): set up to 40 of a-z, 0-9, _",
                )
            return self._records(feature, name)

        return records

    def add(self, feature: str, mounted: Mounted) -> None:
        """Take what a feature has going.

        Raises:
            ConfigError: a topic or a periodic is not as it has to be.
        """
        self.add_jobs(feature, mounted.jobs)
        if mounted.lifespan is not None:
            self.lifespans.add(feature, mounted.lifespan)
        for sender in mounted.text_senders:
            self.text_senders.add(sender)
        leases = self._records(feature, "")  # a name that a feature cannot give
        for periodic in mounted.periodic:
            self.periodics.add(feature, periodic, leases)
        for name, check in mounted.health.items():
            self.checks.add(name, check)

    def add_jobs(self, owner: str, jobs: Mapping[str, ReadJob]) -> None:
        """Have the jobs of some topics read.

        Raises:
            ConfigError: one is no name of a topic.
        """
        for topic, reader in jobs.items():
            self.topics.add(topic, reader, owner=owner)

    def _records(self, feature: str, name: str) -> Records:
        keys = self.keys_of(feature)
        return Records(self._store, keys, self._clock, feature=feature, name=name)
