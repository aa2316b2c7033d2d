"""Refuse two instances of one process that share sessions and not the rules that sessions obey.

A session is good wherever realm (address and cookie name) and store are the same. Where one
instance asks for a second factor and the other does not, the other is a way around it: so says a
`ConfigError`, at construction. What other processes run is their business: in a rolling deployment
the rules of yesterday and today stand side by side for a while.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Final
from weakref import WeakSet

from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.errors import ConfigError
from pwless_middleware.stores.base import Store

_PLAIN = (str, int, bool, tuple, frozenset, type(None))


class Door:
    """What an instance lets in, and where it keeps who is in.

    Args:
        realm: of the deployment.
        store: of the instance. Two that have a `place` are the same where it is.
        features: by name.
        policy: how long sessions live, as given in code.
    """

    def __init__(
        self, realm: str, store: Store, features: Mapping[str, object], policy: SessionPolicy
    ) -> None:
        self.realm = realm
        self.place: object = getattr(store, "place", None) or store
        self.rules: dict[str, object] = {name: _rules_of(f) for name, f in features.items()}
        self.rules["SessionPolicy"] = policy

    def check_beside(self, others: Iterable[Door]) -> None:
        """Refuse to stand beside a door to the same sessions that has other rules.

        Raises:
            ConfigError: there is one; what differs is named.
        """
        for other in others:
            if other.realm != self.realm or other.place != self.place:
                continue
            different = sorted(
                name
                for name in self.rules.keys() | other.rules.keys()
                if self.rules.get(name) != other.rules.get(name)
            )
            if different:
                raise ConfigError(
                    "features",
                    "another Passwordless of this process shares base_url, cookie name and store, "
                    f"and not the rules of {', '.join(different)}: who is in by one is in by the "
                    "other. Give both the same features, or one a cookie_name or store of its own",
                )


_STANDING: Final[WeakSet[Door]] = WeakSet()
"""The doors of this process, as long as their instances are there."""


def add_door(door: Door) -> None:
    """Have a door stand beside the others of this process.

    Raises:
        ConfigError: it may not.
    """
    try:
        door.check_beside(list(_STANDING))
    except ConfigError:
        gc.collect()  # an instance that nobody has any more may still be waiting for it
        door.check_beside(list(_STANDING))
    _STANDING.add(door)


def _rules_of(feature: object) -> object:
    """Return what can be compared of a feature's rules.

    A feature that knows better has `session_rules`; of any other, its class and plain options.
    """
    cls, rules = type(feature), getattr(feature, "session_rules", None)
    if rules is None:
        given = vars(feature) if hasattr(feature, "__dict__") else {}
        rules = {
            name: value
            for name, value in given.items()
            if isinstance(value, _PLAIN) or is_dataclass(value)
        }
    return cls, rules
