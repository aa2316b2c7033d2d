"""The options of `SecondFactors`, and what a deployment without it does not pay for."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, Passkeys, TextOutbox
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import enroll, id_of, make_factor_site, verbs_of
from tests.support import make_site

BAD: dict[str, list[object]] = {
    "totp": [None, 1, "yes"],
    "recovery_codes": [None, 1],
    "mfa": [None, "", "always", True],
    "required_from": ["2027-01-01", 5, True],
    "trusted_days": [None, -1, 31, True],
    "reset_wait": [None, -1, True],
    "issuer": ["", " Acme", "a\nb", "x" * 61, 5],
    "max_per_user": [None, 0, 11, True],
    "new_browser_mail": [None, 1],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ConfigError) as raised:
        SecondFactors(**options)
    assert raised.value.option == option


def test_an_unknown_option_names_the_likely_one() -> None:
    with pytest.raises(ConfigError, match="did you mean trusted_days"):
        SecondFactors(trusted_day=1)  # type: ignore[call-arg]


def test_a_day_from_which_nothing_is_required_is_refused() -> None:
    with pytest.raises(ConfigError, match="mfa='required'") as raised:
        SecondFactors(required_from=date(2027, 1, 1))
    assert raised.value.option == "required_from"


def test_second_factors_alone_sign_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"add a login method, e\.g\. EmailLogin\(\)"):
        make_factor_site(tmp_path, features=[SecondFactors()])
    make_factor_site(tmp_path, features=[SecondFactors(), EmailLogin()])


def test_a_class_without_its_brackets_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write SecondFactors\(\.\.\.\)"):
        make_factor_site(tmp_path, features=[EmailLogin(), SecondFactors])


def test_second_factors_need_a_database() -> None:
    with pytest.raises(ConfigError, match='add database="sqlite'):
        make_site(features=[EmailLogin(), SecondFactors()])


class Own(SecondFactors):
    """Somebody else's class, which is not trusted with what ours is."""


def test_a_subclass_does_not_reach_the_factors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mount SecondFactors\(\.\.\.\) itself"):
        make_factor_site(tmp_path, second_factors=Own())


def test_the_libraries_are_imported_when_they_are_made_and_not_before() -> None:
    program = (
        "import sys, pwless_middleware as p\n"
        "key = 'mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6p'\n"
        "p.Passwordless(secret_key=key, base_url='https://a.example', mailer=p.Outbox())\n"
        "names = ('pyotp', 'segno', 'cryptography', 'pwless_middleware.features.second_factors')\n"
        "seen = [[n for n in names if n in sys.modules]]\n"
        "from pwless_middleware.features.second_factors import SecondFactors\n"
        "seen.append([n for n in names[:3] if n in sys.modules])\n"
        "SecondFactors()\n"
        "seen.append([n for n in names[:3] if n in sys.modules])\n"
        "print(seen)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == [[], [], ["pyotp", "segno", "cryptography"]]


@pytest.mark.parametrize("library", ["pyotp", "segno", "cryptography"])
def test_without_a_library_the_line_to_install_it_is_told(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=r"pip install 'pwless-middleware\[totp\]'"):
        SecondFactors()


def test_two_that_share_sessions_have_the_same_rules() -> None:
    assert SecondFactors().session_rules != SecondFactors(mfa="required").session_rules
    later = SecondFactors(mfa="required", required_from=date(2027, 1, 1))
    assert later.session_rules != SecondFactors(mfa="required").session_rules
    assert SecondFactors().session_rules == SecondFactors(issuer="Acme").session_rules


@pytest.mark.anyio
@pytest.mark.parametrize(("issuer", "shown"), [("Acme", "Acme"), (None, "app.example.com")])
async def test_an_app_shows_the_issuer_or_the_brand(
    tmp_path: Path, issuer: str | None, shown: str
) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(issuer=issuer))
    await enroll(site)
    begun = await verbs_of(site).begin_totp(await id_of(site))
    assert begun.uri.startswith(f"otpauth://totp/{shown}:jo%40example.com?")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mfa": "required"}, "mfa: nobody could add the second factor"),
        (
            {"sms": TextOutbox(), "sms_countries": ["DE"]},
            "sms: a phone number is never the only second factor",
        ),
    ],
)
def test_a_first_factor_can_be_added_where_one_is_needed(
    options: dict[str, Any], named: str, tmp_path: Path
) -> None:
    """By an app, or a passkey: else nobody new would get in, or a number would stand alone."""
    with pytest.raises(ConfigError, match=named):
        make_factor_site(tmp_path, second_factors=SecondFactors(totp=False, **options))
    features = [EmailLogin(), Passkeys(), SecondFactors(totp=False, **options)]
    make_factor_site(tmp_path, features=features)
