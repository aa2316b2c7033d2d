"""What features stand on: each is given its kit, and what it adds goes to what all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.storage.store_keys import is_for_features, is_of_feature
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_store import FeatureStore, KeyRule
from pwless_middleware.flows.lifetime import Lifetime
from pwless_middleware.flows.logins.login_rules import LoginRules
from pwless_middleware.flows.logins.logins import Logins
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.stores.base import Store
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.mounting.background import Background
from pwless_middleware.web.parts.steps import OfferedStep
from pwless_middleware.web.requests.clients import Clients

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


@dataclass(frozen=True, slots=True)
class Floors:
    """What the product and its features stand on.

    Attributes:
        kit: what the features are given, in the product's own name.
        deadline_store: the store, each call of which ends in time.
        kept: the keeper of sessions, of which features and hosts have a view.
        rules: of all features.
        logins_of: returns a feature's own way to the door, by its name and what it may write.
        background: what features have going beside the requests.
        clients: find out where a request comes from.
        deliveries: the worker's side of the queue.
        lifetime: what runs beside the requests.
    """

    kit: Kit
    deadline_store: Store
    kept: Sessions
    rules: LoginRules
    logins_of: Callable[[str, KeyRule], Logins]
    background: Background
    clients: Clients
    deliveries: Deliveries
    lifetime: Lifetime

    def kit_of(self, feature: str, *, is_ours: bool) -> Kit:
        """Return the kit of a feature.

        Args:
            feature: its name.
            is_ours: whether it is one of the product's own, which have the keys of codes and links
                and the challenges, and what the database keeps. Whoever has the first two signs in
                as anybody by a code of their own, whoever has the last by an address of their own.
        """
        may_name = is_for_features if is_ours else is_of_feature
        return replace(
            self.kit,
            name=feature,
            keyring=self.kit.keyring if is_ours else self.background.keys_of(feature),
            store=FeatureStore(self.deadline_store, may_name),
            repositories=self.kit.repositories if is_ours else None,
            mail_templates=self.kit.mail_templates if is_ours else None,
            organizations=self.kit.organizations if is_ours else refuse_organizations,
            logins=self.logins_of(feature, may_name),
            secrets=self.background.secrets_of(feature),
            records=self.background.records_of(feature),
            jobs=self.background.jobs_of(feature, self.kit.wake_delivery),
        )

    def bind(self, mounted: Mapping[str, Mounted]) -> None:
        """Take what the features add to what they share: rules, events, offers."""
        events = self.kit.events
        for name, added in mounted.items():
            events.declare(added.event_kinds, by=name)
            if added.on_event is not None:
                events.subscribe(added.on_event)
            self.rules.before_challenge += added.before_challenge
            self.rules.before_session += added.before_session
            self.rules.on_session += added.on_session
            self.rules.with_session += added.with_session
            self.rules.policies += added.policies
            self.rules.may_mail += added.may_mail
            self.rules.may_sign_up += added.may_sign_up
            if added.looks is not None:
                self.kit.looks.bind(added.looks)
            self.rules.entrance = added.entrance or self.rules.entrance
            self.rules.memberships = added.memberships or self.rules.memberships
            self.rules.recovers.update(added.recovers)
            self.rules.owners.update(dict.fromkeys(added.proves, name))
        self.kit.offers.bind(
            [method for added in mounted.values() for method in added.methods],
            [method for added in mounted.values() for method in added.step_up],
            [page for added in mounted.values() for page in added.account_pages],
            [page for added in mounted.values() for page in added.dashboard_pages],
            [part for added in mounted.values() for part in added.person_parts],
            [told for added in mounted.values() for told in added.on_address_undone],
            [
                OfferedStep(step, self.logins_of(name, is_of_feature))
                for name, added in mounted.items()
                for step in added.steps
            ],
            [ask for added in mounted.values() for ask in added.after_login],
            [ask for added in mounted.values() for ask in added.keeps],
            [told for added in mounted.values() for told in added.on_factors_reset],
            [ask for added in mounted.values() for ask in added.alternatives],
            [ask for added in mounted.values() for ask in added.sign_outs],
            [tab for added in mounted.values() for tab in added.organization_tabs],
        )
        rules = [added.operators for added in mounted.values() if added.operators is not None]
        banners = [ask for added in mounted.values() for ask in added.dashboard_banners]
        self.kit.operators.bind(rules[0] if rules else None, banners)


def refuse_organizations() -> OrganizationFloor:
    """Refuse who has no database, or is no feature of the product.

    Raises:
        ConfigError: always.
    """
    raise ConfigError("database", 'organizations need one: add database="sqlite:///pwless.db"')
