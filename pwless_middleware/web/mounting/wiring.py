"""Mount features: each with a kit of its own, and every mistake told with the names of both sides.

A mistake here would show late and in silence: of two features that read the same jobs, one never
gets any; of two that prove the same method, one satisfies the step that the other was to check. So
whatever two features could both lay claim to is compared as they are put together.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.settings.current_settings import CurrentSettings
from pwless_middleware.web.findings.findings import Check
from pwless_middleware.web.kit import Feature, Kit, Mounted
from pwless_middleware.web.mounting.background import Background
from pwless_middleware.web.parts.steps import StepPart

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.repositories import Repositories

P = ParamSpec("P")
T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def join_features(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """Return features, with those of a class that has a `join` as one, where the first stood.

    They share what one alone can have: a part of the login page, the method that they prove.

    Raises:
        ConfigError: they cannot be joined.
    """
    given = tuple(features)
    found: list[Feature] = []
    for feature in given:
        alike = [one for one in given if type(one) is type(feature)]
        join = getattr(type(feature), "join", None)
        if join is None or len(alike) == 1:
            found.append(feature)
        elif feature is alike[0]:
            found.append(join(alike))
    return tuple(found)


def name_of(feature: object) -> str:
    """Return a feature's name: its attribute `name`, or else its class's name.

    Raises:
        ConfigError: the attribute is no such name.
    """
    cls = type(feature).__name__
    name = getattr(feature, "name", None)
    if name is None:
        return cls
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            "features", f"{cls}.name is {name!r}: set 1 to 40 letters, digits and underscores"
        )
    return name


def mount_all(
    features: Sequence[Feature],
    make_kit: Callable[[str], Kit],
    background: Background,
    settings: CurrentSettings,
) -> dict[str, Mounted]:
    """Mount every feature, and return what each adds, by its name.

    Args:
        features: in their order, which the result keeps.
        make_kit: makes the kit of the feature with this name.
        background: takes what they have going beside the requests.
        settings: keeps current what operators may set of them.

    Raises:
        ConfigError: two have the same name, or one cannot be mounted; it is named.
    """
    owners: dict[str, Feature] = {}
    for feature in features:
        name = name_of(feature)
        if name in owners:
            raise ConfigError("features", _same_name(name, owners[name], feature))
        owners[name] = feature
    found = {name: _mount(name, feature, make_kit(name)) for name, feature in owners.items()}
    for name, mounted in found.items():
        for method in mounted.recovers:
            if method not in mounted.proves:
                raise ConfigError(
                    "features", f"{name} recovers by {method!r}: name it in Mounted.proves as well"
                )
    of_sessions = {n: ["a session"] for n, m in found.items() if m.memberships is not None}
    _check_one_owner("say which organization somebody is in for", of_sessions)
    _check_one_owner("prove the login method", {n: m.proves for n, m in found.items()})
    topics: dict[str, Iterable[str]] = {"pwless": background.topics.of("pwless")}
    _check_one_owner("read the jobs of topic", topics | {n: m.jobs for n, m in found.items()})
    checks = {n: m.health for n, m in found.items()}
    ours = ("store", "delivery", "text_delivery")
    _check_one_owner("check the health of", {"pwless": ours, **checks})
    for name, mounted in found.items():
        _check_periodics(name, mounted)
        if mounted.lifespan is not None:
            found[name] = behind(mounted, partial(background.lifespans.require, name))
        if mounted.settings is not None:
            settings.add(mounted.settings, by=name)
            if not settings.is_known:  # as they are for good where there is no database
                found[name] = behind(found[name], settings.require)
        background.add(name, found[name])
    return found


def check_all(mounted: Mapping[str, Mounted]) -> None:
    """Have each feature look at all the others, once everything is put together.

    Raises:
        ConfigError: what one needs is not there; it is named.
    """
    for name, added in mounted.items():
        try:
            if added.check is not None:
                added.check()
        except ConfigError as error:
            raise ConfigError(error.option, f"{error.problem} (mounting {name})") from error


def checks_of(mounted: Mapping[str, Mounted], repositories: Repositories | None) -> list[Check]:
    """Return what looks for what would go wrong in production (`web.findings`).

    Args:
        mounted: of all features.
        repositories: what the database keeps; `None` without one.
    """
    checks = [check for added in mounted.values() for check in added.findings]
    if repositories is not None:
        from pwless_middleware.web.findings.unused_proofs import UnusedProofs

        proves = {method for added in mounted.values() for method in added.proves}
        checks.append(UnusedProofs(repositories, proves).find)
    return checks


def check_operators(mounted: Mapping[str, Mounted], ours: Collection[str]) -> None:
    """Refuse a feature that says who is an operator, and is none of the product's own.

    Whoever is one acts as anybody, so that this is as great a trust as the keys of codes are.

    Args:
        mounted: what each feature adds, by its name.
        ours: the names of the product's own features.

    Raises:
        ConfigError: there is one; it is named.
    """
    for name, added in mounted.items():
        if added.operators is not None and name not in ours:
            raise ConfigError(
                "features",
                f"{name} says who is an operator: that is for Dashboard(...) itself, not for a "
                "subclass or another feature",
            )
        asked = (added.entrance, added.memberships, added.looks)
        knows_organizations = any(one is not None for one in asked)
        if knows_organizations and name not in ours:
            raise ConfigError(
                "features",
                f"{name} says which organization a session is in: that is for Organizations(...) "
                "itself, not for a subclass or another feature",
            )


def behind(mounted: Mounted, require: Callable[[], Awaitable[None]]) -> Mounted:
    """Return what a feature adds so that all of it waits for something first.

    Args:
        mounted: as the feature gave it.
        require: returns when the lifespan is entered, or the settings are known; raises
            `Unavailable` where they are not.
    """

    def wait(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @wraps(call)
        async def waiting(*args: P.args, **kwargs: P.kwargs) -> T:
            await require()
            return await call(*args, **kwargs)

        return waiting

    def wait_for_page(page: StepPart) -> StepPart:
        return replace(page, show=wait(page.show), prepare=page.prepare and wait(page.prepare))

    routes = [
        replace(route, methods={verb: wait(handler) for verb, handler in route.methods.items()})
        for route in mounted.routes
    ]
    return replace(
        mounted,
        routes=tuple(routes),
        methods=tuple(
            replace(one, show=wait(one.show), post=one.post and wait(one.post))
            for one in mounted.methods
        ),
        step_up=tuple(
            replace(one, show=wait(one.show), post=wait(one.post)) for one in mounted.step_up
        ),
        steps=tuple(
            replace(
                one,
                ask=wait(one.ask),
                check=wait(one.check),
                page=one.page and wait_for_page(one.page),
                send=one.send and replace(one.send, do=wait(one.send.do)),
                enroll=one.enroll and replace(one.enroll, do=wait(one.enroll.do)),
                is_enrolled=one.is_enrolled and wait(one.is_enrolled),
            )
            for one in mounted.steps
        ),
        after_login=tuple(wait(one) for one in mounted.after_login),
        person_parts=tuple(replace(one, show=wait(one.show)) for one in mounted.person_parts),
        before_challenge=tuple(wait(rule) for rule in mounted.before_challenge),
        before_session=tuple(wait(rule) for rule in mounted.before_session),
        on_session=tuple(wait(rule) for rule in mounted.on_session),
        policies=tuple(wait(ask) for ask in mounted.policies),
        entrance=mounted.entrance and wait(mounted.entrance),
        memberships=mounted.memberships and wait(mounted.memberships),
        may_mail=tuple(wait(ask) for ask in mounted.may_mail),
        may_sign_up=tuple(wait(ask) for ask in mounted.may_sign_up),
        looks=mounted.looks and wait(mounted.looks),
        alternatives=tuple(wait(ask) for ask in mounted.alternatives),
        sign_outs=tuple(wait(ask) for ask in mounted.sign_outs),
        keeps=tuple(wait(one) for one in mounted.keeps),
        on_factors_reset=tuple(wait(one) for one in mounted.on_factors_reset),
        jobs={topic: wait(reader) for topic, reader in mounted.jobs.items()},
        periodic=tuple(replace(one, run=wait(one.run)) for one in mounted.periodic),
        health={name: wait(check) for name, check in mounted.health.items()},
    )


def _check_periodics(name: str, mounted: Mounted) -> None:
    names = [one.name for one in mounted.periodic]
    for one in names:
        if names.count(one) > 1:
            raise ConfigError("features", f"{name} mounts two periodics named {one!r}: rename one")


def _mount(name: str, feature: Feature, kit: Kit) -> Mounted:
    try:
        mounted: object = feature.mount(kit)
    except ConfigError as error:
        raise ConfigError(error.option, f"{error.problem} (mounting {name})") from error
    except Exception as error:
        raise ConfigError(
            "features", f"{name} could not be mounted: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(mounted, Mounted):
        raise ConfigError(
            "features", f"{name}.mount returned {type(mounted).__name__}: return Mounted(...)"
        )
    return mounted


def _same_name(name: str, one: object, other: object) -> str:
    if type(one) is type(other) and getattr(one, "name", None) is None:
        return f"{name} is mounted twice: take one out, or give each a `name` of its own"
    sides = " and ".join(f"{type(f).__module__}.{type(f).__qualname__}" for f in (one, other))
    return f"{sides} are both named {name!r}: give one of them another `name`"


def _check_one_owner(what: str, claims: Mapping[str, Iterable[object]]) -> None:
    owners: dict[object, str] = {}
    for feature, claimed in claims.items():
        for one in claimed:
            if one in owners:
                raise ConfigError(
                    "features",
                    f"{owners[one]} and {feature} both {what} {one!r}: rename it in one of them",
                )
            owners[one] = feature
