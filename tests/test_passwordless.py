"""What `Passwordless` offers to the host's own code."""

from __future__ import annotations

from typing import assert_type

import pytest

from pwless_middleware import ConfigError, EmailLogin, Feature, Kit, Mounted
from pwless_middleware.features.email_login.python import EmailVerbs
from tests.support import make_site

pytestmark = pytest.mark.anyio


class Invitations:
    """What a feature of somebody else offers in Python."""

    def __init__(self, origin: str) -> None:
        self.origin = origin


class Inviting:
    """A feature of somebody else."""

    def mount(self, kit: Kit) -> Mounted[Invitations]:
        return Mounted(verbs=Invitations(kit.origin.origin))


class Silent:
    """A feature that offers nothing in Python."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted()


async def test_the_verbs_of_a_feature_are_found_by_its_class_with_their_type() -> None:
    site = make_site(features=[Inviting(), EmailLogin()])
    invitations = site.passwordless.verbs(Inviting)
    assert_type(invitations, Invitations)
    assert invitations.origin == site.passwordless.origin.origin
    email = site.passwordless.verbs(EmailLogin)
    assert_type(email, EmailVerbs)
    sent = await email.send("jo@example.com")
    code = site.mail().code
    done = await email.verify(auth_request_id=sent.auth_request_id, code=code)
    assert done.user.email == "jo@example.com"


def test_the_verbs_of_a_subclass_are_found_by_the_class_that_it_extends() -> None:
    class Louder(Inviting):
        pass

    site = make_site(features=[Louder()])
    assert site.passwordless.verbs(Inviting) is site.passwordless.verbs(Louder)


@pytest.mark.parametrize("feature", [EmailLogin, Inviting, Silent])
def test_verbs_that_nobody_offers_are_an_error_that_names_the_feature(
    feature: type[Feature],
) -> None:
    site = make_site(features=[Silent()])
    with pytest.raises(ConfigError, match=rf"features: .*\b{feature.__name__}\b"):
        site.passwordless.verbs(feature)


def test_verbs_are_asked_for_by_a_class() -> None:
    site = make_site()
    with pytest.raises(ConfigError, match="EmailLogin"):
        site.passwordless.verbs(EmailLogin())  # type: ignore[arg-type]  # what is refused
