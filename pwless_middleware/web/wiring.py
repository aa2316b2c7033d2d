"""Mount features: each with a kit of its own, and every mistake told with the names of both sides.

A mistake here would show late and in silence: of two features that read the same jobs, one never
gets any; of two that prove the same method, one satisfies the step that the other was to check. So
whatever two features could both lay claim to is compared as they are put together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pwless_middleware.errors import ConfigError
from pwless_middleware.web.kit import Feature, Kit, Mounted

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


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


def mount_all(features: Sequence[Feature], make_kit: Callable[[str], Kit]) -> dict[str, Mounted]:
    """Mount every feature, and return what each adds, by its name.

    Args:
        features: in their order, which the result keeps.
        make_kit: makes the kit of the feature with this name.

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
    _check_one_owner("prove the login method", {n: m.proves for n, m in found.items()})
    _check_one_owner("read the jobs of topic", {n: m.jobs for n, m in found.items()})
    return found


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
