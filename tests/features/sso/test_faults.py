"""Every fault has its sentence, and no fault says more than an administrator may read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pwless_middleware
from pwless_middleware.core.organizations import sso_faults
from pwless_middleware.core.organizations.sso_faults import FAULTS
from pwless_middleware.errors import FAULTS as REQUEST_FAULTS
from pwless_middleware.errors import RequestFailed
from pwless_middleware.features.sso.faults import VALUE_LENGTH, SSOFault

PACKAGE = Path(pwless_middleware.__file__).parent


def test_no_two_protocols_have_one_code() -> None:
    lists = (sso_faults.LOGIN_FAULTS, sso_faults.OIDC_FAULTS, sso_faults.SAML_FAULTS)
    assert len(FAULTS) == sum(map(len, lists)) + len(REQUEST_FAULTS)


def test_a_sentence_is_one_and_holds_no_value() -> None:
    for code, sentence in FAULTS.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        assert sentence.endswith("."), code
        assert "%" not in sentence, code


def test_every_fault_that_is_raised_is_in_the_list() -> None:
    raised = {
        code
        for file in (PACKAGE / "features" / "sso").rglob("*.py")
        for code in re.findall(r"SSOFault\(\s*\"(\w+)\"", file.read_text("utf-8"))
    }
    assert raised <= FAULTS.keys()


def test_an_unknown_fault_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        SSOFault("something_else")


def test_what_a_provider_sent_is_shown_at_a_bounded_length() -> None:
    fault = SSOFault("id_token_issuer", expected="https://a.example", received="x" * 100_000)
    assert fault.expected == "https://a.example"
    assert len(fault.received) == VALUE_LENGTH
    assert str(fault) == FAULTS["id_token_issuer"]


def test_a_request_without_an_answer_names_its_address_without_the_query() -> None:
    fault = SSOFault.of_request(RequestFailed("timeout"), "https://idp.example/keys?token=secret")
    assert fault.code == "request_timeout"
    assert fault.expected == "https://idp.example/keys"
    assert fault.text == REQUEST_FAULTS["timeout"]
