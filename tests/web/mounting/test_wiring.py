"""Features that get in each other's way are told so as they are put together, by name."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import ConfigError, EmailLogin, Kit, Mounted
from pwless_middleware.web.routing.routes import Route
from tests.security.factor import Factor
from tests.support import make_site


class One:
    """Add what the test says."""

    def __init__(self, mounted: object = None, *, name: object = None) -> None:
        self.mounted = Mounted() if mounted is None else mounted
        if name is not None:
            self.name = name

    def mount(self, kit: Kit) -> Any:
        self.kit = kit
        if isinstance(self.mounted, Exception):
            raise self.mounted
        return self.mounted


class Other(One):
    """The same, of another class."""


def at(path: str, feature: type[One] = One) -> One:
    """Make a feature with one route."""
    return feature(Mounted(routes=(Route(path, {}),)))


def problem(*features: object) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        make_site(features=features)
    return raised.value


def test_each_feature_has_a_kit_that_knows_its_name() -> None:
    one, other = One(), Other(name="second")
    make_site(features=[one, other])
    assert (one.kit.name, other.kit.name) == ("One", "second")


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ([EmailLogin(), EmailLogin()], ["EmailLogin is mounted twice"]),
        ([One(), One()], ["One is mounted twice", "name"]),
        ([One(name="x"), Other(name="x")], [".One and", ".Other are both named 'x'"]),
        ([One(name="a b")], ["One.name is 'a b'"]),
        ([One(name=5)], ["One.name is 5"]),
        ([One(name="Account")], [".One and pwless_middleware.features.account.Account"]),
        ([at("/a/{b}"), at("/a/{c}", Other)], ["One mounts /a/{b}", "Other mounts /a/{c}"]),
        ([at("/logout")], ["One mounts /logout", "Account mounts /logout"]),
        ([at("orgs")], ["One mounts 'orgs'"]),
        ([EmailLogin(), Factor("email_code")], ["EmailLogin and Factor_email_code", "email_code"]),
        ([One(Mounted(proves=("x",))), Other(Mounted(proves=("x",)))], ["One and Other", "'x'"]),
        ([One({"routes": ()})], ["One.mount returned dict"]),
        ([One("x")], ["One.mount returned str"]),
    ],
)  # fmt: skip
def test_a_collision_is_told_with_both_names(features: list[object], told: list[str]) -> None:
    error = problem(*features)
    assert error.option == "features"
    for text in told:
        assert text in str(error)


def test_one_class_may_be_mounted_several_times_under_several_names() -> None:
    make_site(features=[One(name="one"), One(name="two"), Factor("a"), Factor("b")])


def test_a_feature_that_raises_as_it_is_mounted_is_named() -> None:
    cause = KeyError("SOME_SETTING")
    error = problem(One(cause))
    assert str(error) == "features: One could not be mounted: KeyError: 'SOME_SETTING'"
    assert error.__cause__ is cause


def test_a_features_own_config_error_keeps_its_option() -> None:
    error = problem(One(ConfigError("issuer", "set the URL of the provider")))
    assert error.option == "issuer"
    assert str(error) == "issuer: set the URL of the provider (mounting One)"
