"""The product's own features: which of a host's are, and those that a database brings.

They are given what a feature of somebody else's is not: the keys of codes and links, and all that
the database keeps (`web.mounting.floors.Floors.kit_of`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.features.email_login import EmailLogin
from pwless_middleware.web.kit import Feature

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_retention import EventRetention

_WITH_DATABASE: Final = {
    "pwless_middleware.features.dashboard.options": "Dashboard",
    "pwless_middleware.features.organizations.options": "Organizations",
    "pwless_middleware.features.passkeys.options": "Passkeys",
    "pwless_middleware.features.second_factors.options": "SecondFactors",
    "pwless_middleware.features.sso.options": "SSO",
    "pwless_middleware.features.sso.social": "OIDC",
    "pwless_middleware.features.webhooks.options": "Webhooks",
}
"""Where those are that have a database, by module."""

_WITH_ORGANIZATIONS: Final = (
    "pwless_middleware.features.organizations.options",
    "pwless_middleware.features.sso.options",
)
"""Where those of them are that make something of organizations."""


def is_own(feature: Feature) -> bool:
    """Whether a feature is one of the product's own.

    By its exact class: what a class of somebody else's inherits, it is not trusted with. Of a class
    whose module was never loaded there is no object.
    """
    classes = {EmailLogin}
    for module, name in _WITH_DATABASE.items():
        loaded = sys.modules.get(module)
        if loaded is not None:
            classes.add(getattr(loaded, name))
    return type(feature) in classes


def have_organizations(features: Sequence[Feature]) -> bool:
    """Whether one of the features is the product's own of organizations."""
    return any(
        type(feature).__module__ in _WITH_ORGANIZATIONS and is_own(feature) for feature in features
    )


def make_database_features(
    retention: EventRetention | None, features: Sequence[Feature]
) -> tuple[Feature, ...]:
    """Return the features that are always there with a database.

    Args:
        retention: how long events are kept; `None` is the default.
        features: those of the host, which say whether there are organizations.
    """
    from pwless_middleware.features.event_log import EventLog
    from pwless_middleware.features.users_api import UsersApi

    if not have_organizations(features):
        return EventLog(retention), UsersApi()
    from pwless_middleware.features.organizations_api import OrganizationsApi

    return EventLog(retention), UsersApi(), OrganizationsApi()
