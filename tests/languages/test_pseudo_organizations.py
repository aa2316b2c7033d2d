"""No text escapes the catalogue where people come by an organization or a provider.

The tests of organizations, of companies' logins and their set-up, and of accounts elsewhere are
told once more, in a pseudo-language.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.features.organizations import (
    test_entrances,
    test_invitations,
    test_leaving,
    test_switching,
)
from tests.features.organizations.test_switching import site
from tests.features.sso.conftest import acme, provider
from tests.features.sso.logins import test_login_part, test_start_pages
from tests.features.sso.setup import test_access as setup_access
from tests.features.sso.setup import test_pages as setup_pages
from tests.features.sso.setup import test_test_page as setup_test
from tests.features.sso.setup.test_pages import setup
from tests.features.sso.social import test_linked_accounts, test_social
from tests.languages.stories import stories_of, told_in_pseudo

pytestmark = pytest.mark.anyio

__all__ = ["acme", "provider", "setup", "site"]

VALUES = ("Acme", "Beta", "Strict", "Weak", "Owner", "English", "Google Workspace",
          "Microsoft Entra ID", "Okta", "acme-app", "another-app", "staff", "Jo", "Doe",
          "Acme login", "auditor", "AD FS", "co.uk", "SAML",
          "OpenID", "Connect", "HTTPS", "DNS", "TXT")  # fmt: skip
"""Names: of organizations, people and products, of languages in themselves, and of techniques."""


@pytest.fixture(autouse=True)
def told(folder: Path) -> Iterator[None]:
    with told_in_pseudo(folder, VALUES):
        yield


globals().update(
    stories_of(
        test_entrances,
        "test_who_is_no_member_does_not_enter_and_gets_no_session",
        "test_who_is_in_several_is_asked_which_and_goes_where_they_wanted",
    )
    | stories_of(test_switching, "test_the_page_lists_them_and_switches")
    | stories_of(test_leaving, "test_who_leaves_another_than_the_current_one_goes_on")
    | stories_of(test_invitations, "test_who_is_invited_signs_up_where_nobody_else_can")
    | stories_of(
        test_start_pages,
        "test_who_was_just_there_is_asked_instead_of_going_round_in_circles",
        "test_several_connections_are_chosen_from",
        "test_a_connection_that_is_off_says_so_and_shows_another_way",
    )
    | stories_of(
        test_login_part,
        "test_where_only_the_companys_login_leads_in_no_mail_is_offered",
        "test_where_no_mails_are_offered_an_address_is_asked_for",
    )
    | stories_of(setup_access, "test_what_is_finished_is_over")
    | stories_of(
        setup_pages,
        "test_a_login_by_openid_connect_is_set_up_from_the_link_to_the_end",
        "test_what_is_wrong_with_a_provider_is_said_beside_its_field",
        "test_every_provider_can_be_chosen_and_says_what_to_do",
        "test_a_domain_that_is_nobodys_own_is_refused_with_the_reason",
        "test_a_record_that_is_gone_is_asked_for_again",
    )
    | stories_of(setup_test, "test_what_is_wrong_is_said_in_words_and_counts_as_no_test")
    | stories_of(test_linked_accounts, "test_a_person_sees_and_unlinks_their_own")
    | stories_of(
        test_social,
        "test_an_address_that_is_not_vouched_for_is_proven_by_mail_and_then_linked",
    )
)
