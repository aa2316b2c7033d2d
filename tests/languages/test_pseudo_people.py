"""No text escapes the catalogue in what people do with their account, passkeys and factors.

The tests of those pages are told once more, in a pseudo-language.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.features import test_step_up
from tests.features.account import (
    test_account_api,
    test_delete_page,
    test_profile_page,
    test_sessions_page,
)
from tests.features.email_login.address_changes import test_pages as test_address_pages
from tests.features.passkeys.pages import test_account_page as passkeys_page
from tests.features.passkeys.pages import test_offer_page
from tests.features.passkeys.pages import test_step_page as passkey_step
from tests.features.second_factors.pages import test_account_page as factors_page
from tests.features.second_factors.pages import test_enrollment_pages, test_sms_page, test_step_page
from tests.features.second_factors.pages.test_sms_page import phones, site
from tests.languages.stories import stories_of, told_in_pseudo

pytestmark = pytest.mark.anyio

__all__ = ["phones", "site"]

VALUES = ("Google Password Manager", "Firefox", "Linux", "Safari", "iPhone",
          "English", "Tablet", "<b>Work</b> phone", "Jo’s <b>key</b>")  # fmt: skip
"""Names: of products, of languages in themselves, and what people call their things."""


@pytest.fixture(autouse=True)
def told(folder: Path) -> Iterator[None]:
    with told_in_pseudo(folder, VALUES):
        yield


globals().update(
    stories_of(test_profile_page, "test_what_cannot_be_kept_is_told_beside_its_field")
    | stories_of(test_sessions_page, "test_after_each_action_the_page_says_what_was_done")
    | stories_of(test_delete_page, "test_who_deletes_their_account_is_asked_once_more_and_gone")
    | stories_of(test_account_api, "test_what_hurts_needs_a_fresh_proof")
    | stories_of(
        test_address_pages,
        "test_a_wrong_code_is_counted_and_the_mail_can_be_sent_again",
        "test_what_is_no_other_address_is_told_beside_the_field",
        "test_a_code_that_has_expired_is_asked_for_anew",
        "test_the_old_address_is_told_and_undoes_it",
    )
    | stories_of(
        test_step_up,
        "test_a_wrong_code_is_told_and_five_end_it",
        "test_a_code_that_has_expired_is_sent_anew",
        "test_what_no_method_can_prove_is_said_plainly",
    )
    | stories_of(
        passkeys_page,
        "test_a_list_with_what_keeps_them_where_and_when",
        "test_renaming",
        "test_removing_and_signing_out_everywhere_else",
        "test_the_last_way_in_stays_and_a_full_list_says_so",
        "test_a_bad_answer_is_said_on_the_page",
    )
    | stories_of(test_offer_page, "test_it_is_never_a_dead_end")
    | stories_of(
        passkey_step,
        "test_from_a_mailed_code_to_the_first_passkey_and_in",
        "test_step_up_by_passkey_leads_back",
    )
    | stories_of(
        factors_page,
        "test_the_first_app_is_added_and_the_codes_are_offered",
        "test_a_factor_is_renamed_and_a_bad_name_stands_beside_its_field",
        "test_a_factor_is_removed_after_a_question_and_a_fresh_proof",
        "test_the_last_one_stays_where_it_is_required",
        "test_trusted_browsers_are_listed_and_forgotten",
        "test_new_recovery_codes_void_the_old_ones",
    )
    | stories_of(
        test_enrollment_pages,
        "test_the_only_way_is_shown_at_once_and_ends_the_login",
        "test_one_chooses_where_there_are_several",
    )
    | stories_of(
        test_step_page,
        "test_wrong_codes_are_counted_down_and_the_other_ways_stay_open",
        "test_a_passkey_is_a_way_and_comes_first",
        "test_the_last_recovery_codes_are_told_after_the_login",
    )
    | stories_of(
        test_sms_page,
        "test_a_number_is_added_by_the_code_that_comes_to_it",
        "test_asking_twice_within_a_minute_is_told_with_its_wait",
        "test_the_step_sends_a_code_only_when_asked",
        "test_who_has_two_numbers_chooses",
    )
)
